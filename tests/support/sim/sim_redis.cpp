#include "support/sim/sim_redis.hpp"

#include <algorithm>
#include <utility>

namespace spillway::sim {

SimRedis::SimRedis(const FaultPlan& plan, Trace& trace) : plan_{plan}, trace_{trace} {}

void SimRedis::set_state(ServerState state, Instant now) {
  if (state == state_) return;
  state_ = state;
  trace_.note({now, EventKind::server_state, {}, {static_cast<std::uint64_t>(state)}, {2}});
  if (state != ServerState::down) return;
  ++incarnation_;
  tokens_ = 0;  // it saves nothing
  on_the_way_.clear();
}

void SimRedis::push(Instant due) {
  on_the_way_.push_back(due);
}

std::size_t SimRedis::pop_all(Instant now) {
  if (state_ != ServerState::up || tokens_ == 0) return 0;
  trace_.note({now, EventKind::popped, {}, {}, {tokens_}});
  return std::exchange(tokens_, 0);
}

void SimRedis::advance(Instant now) {
  if (state_ != ServerState::up) return;
  const auto arrived = std::erase_if(on_the_way_, [now](Instant due) { return due <= now; });
  if (arrived == 0 || refuses_writes_) return;
  pushed_ += arrived;
  if (tokens_ + arrived > plan_.redis.list_max) trace_.count(Happening::list_at_cap);
  tokens_ = std::min(tokens_ + arrived, plan_.redis.list_max);
  trace_.note({now, EventKind::pushed, {}, {}, {arrived}});
}

std::optional<Instant> SimRedis::next_event() const noexcept {
  if (state_ != ServerState::up || on_the_way_.empty()) return std::nullopt;
  return *std::ranges::min_element(on_the_way_);
}

}  // namespace spillway::sim
