// src/runtime/clock.hpp: where time is read: once a step, once a publish.

#pragma once

#include <atomic>
#include <ctime>

#include "core/ids.hpp"
#include "core/time.hpp"

namespace spillway::runtime {

[[nodiscard]] inline core::Duration read_clock(clockid_t clock) noexcept {
  timespec at{};
  ::clock_gettime(clock, &at);
  return std::chrono::seconds{at.tv_sec} + std::chrono::nanoseconds{at.tv_nsec};
}

[[nodiscard]] inline core::Instant now() noexcept {
  return core::Instant{read_clock(CLOCK_MONOTONIC)};
}

[[nodiscard]] inline core::Stamp stamp_now() noexcept {
  return {static_cast<std::uint64_t>(read_clock(CLOCK_MONOTONIC).count())};
}

/// Add to an Instant: nanoseconds since 1970. Of this moment; a later clock step is not followed.
[[nodiscard]] inline core::Duration unix_time_offset() noexcept {
  return read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC);
}

/// A clock for a lane: no load that follows now() in the program happens before the clock was read.
class FencedClock {
 public:
  [[nodiscard]] core::Instant now() noexcept {
    const core::Instant at = runtime::now();
    // A full barrier: a publisher that enqueued before `at` is seen by the drain that follows.
    // Pairs with the release of ConcurrentQueue's enqueue. Not a fence alone: ThreadSanitizer knows
    // none.
    barrier_.exchange(1, std::memory_order_seq_cst);
    return at;
  }

 private:
  std::atomic<int> barrier_{0};
};

}  // namespace spillway::runtime
