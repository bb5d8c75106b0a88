// perf/common/relay_process.hpp: a relay in a process of its own: the measuring program, started
// once more.
//
//   RelayProcess ──starts /proc/self/exe with the flag of add_relay_flag()──► run_relay()

#pragma once

#include <string>

#include <CLI/CLI.hpp>
#include <sys/types.h>

#include "spillway/config.hpp"
#include "spillway/relay.hpp"

namespace spillway::perf {

/// A flag that only a parent sets; --help does not show it. The servers are in the child's
/// variables, since a command line is for everybody to read.
void add_relay_flag(CLI::App& flags, bool& is_relay);

/// The child: forwards until standard input ends, then prints the delays that it saw.
void run_relay(const Config& config);

/// p50 and p99 of one run, Kafka up.
struct Delays {
  double p50_ms = 0;
  double p99_ms = 0;
  double rows = 0;
};
[[nodiscard]] Delays delays_of(const Latency& latency) noexcept;

class RelayProcess {
 public:
  /// @throws program::CommandError
  explicit RelayProcess(const Config& config);
  RelayProcess(const RelayProcess&) = delete;
  RelayProcess& operator=(const RelayProcess&) = delete;
  ~RelayProcess();

  /// Ends it. @blocks until it has ended @throws program::CommandError
  [[nodiscard]] Delays end();

 private:
  void await_end() noexcept;

  int socket_ = -1;
  pid_t pid_ = 0;
};

}  // namespace spillway::perf
