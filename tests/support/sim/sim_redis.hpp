// tests/support/sim/sim_redis.hpp: the Redis list of wakeup tokens, bounded as LTRIM bounds it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "support/sim/fault_plan.hpp"
#include "support/sim/sim_kafka.hpp"
#include "support/sim/trace.hpp"

namespace spillway::sim {

class SimRedis {
 public:
  SimRedis(const FaultPlan& plan, Trace& trace);

  void set_state(ServerState state, Instant now);
  [[nodiscard]] ServerState state() const noexcept { return state_; }
  /// Pushes fail, as on a replica or when memory is out.
  void refuse_writes(bool refuse) noexcept { refuses_writes_ = refuse; }
  /// FLUSHALL.
  void flush() noexcept { tokens_ = 0; }
  [[nodiscard]] std::uint64_t incarnation() const noexcept { return incarnation_; }

  [[nodiscard]] std::size_t tokens() const noexcept { return tokens_; }
  [[nodiscard]] std::uint64_t pushed() const noexcept { return pushed_; }

  /// The token is in the list at `due`, if the server is up then.
  void push(Instant due);
  /// Every token of the list: a relay pops until it is empty.
  [[nodiscard]] std::size_t pop_all(Instant now);

  void advance(Instant now);
  [[nodiscard]] std::optional<Instant> next_event() const noexcept;

 private:
  const FaultPlan& plan_;
  Trace& trace_;
  ServerState state_ = ServerState::up;
  bool refuses_writes_ = false;
  std::uint64_t incarnation_ = 0;
  std::size_t tokens_ = 0;
  std::uint64_t pushed_ = 0;
  std::vector<Instant> on_the_way_;
};

}  // namespace spillway::sim
