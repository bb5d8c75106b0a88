// perf/common/outage.hpp: what happens to Kafka, to the microsecond, and when all is well again.
//
// tools/stack starts the broker again; that it dies or hangs, the program does itself, because the
// script takes longer than what is measured.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "perf/common/pacer.hpp"
#include "spillway/config.hpp"
#include "spillway/pipeline.hpp"
#include "tools/spillway/all_direct.hpp"
#include "tools/spillway/stack_control.hpp"

namespace spillway::perf {

enum class Fault : std::uint8_t {
  killed,  ///< SIGKILL: connections are reset, and refused.
  hung,    ///< SIGSTOP: connections stay open, nothing answers.
  cut,     ///< toxiproxy closes the connections and refuses new ones.
};
[[nodiscard]] std::string_view name_of(Fault fault) noexcept;

/// `config` with the broker's address that the fault needs. @throws program::CommandError when
/// toxiproxy does not run
[[nodiscard]] Config reached_by(Fault fault, Config config);

/// One outage of the stack's Kafka, or several one after the other.
class Outage {
 public:
  /// @throws program::CommandError when the broker or toxiproxy does not run
  Outage(const program::StackControl& stack, Fault fault);
  Outage(const Outage&) = delete;
  Outage& operator=(const Outage&) = delete;
  /// The broker comes back, however the program ends.
  ~Outage();

  /// The moment before it began.
  Clock::time_point begin();
  /// The broker is asked to come back; returns before it has.
  void end();

 private:
  const program::StackControl& stack_;
  Fault fault_;
  pid_t broker_ = 0;
  bool under_way_ = false;
};

using program::all_direct;

/// Until Kafka has been up and every lane direct for so long. False: not by `deadline`.
/// @blocks until then
[[nodiscard]] bool await_direct(const Pipeline& pipeline, Clock::duration for_so_long,
                                Clock::time_point deadline);

}  // namespace spillway::perf
