// perf/common/pacer.hpp: an open loop's moments: when each envelope is due, whatever became of
// those before.
//
// A latency counts from the moment due, so a call that stalls is charged with all that waits behind
// it.

#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>

#include <sys/prctl.h>

namespace spillway::perf {

using Clock = std::chrono::steady_clock;

class Pacer {
 public:
  Pacer(Clock::time_point start, double per_second)
      : start_{start}, distance_ns_{1e9 / per_second} {}

  /// Of the n-th envelope, from 0.
  [[nodiscard]] Clock::time_point due(std::uint64_t n) const noexcept {
    return start_ + std::chrono::nanoseconds{
                        static_cast<std::int64_t>(distance_ns_ * static_cast<double>(n))};
  }

 private:
  Clock::time_point start_;
  double distance_ns_;
};

/// The calling thread's sleeps end when they should; by default the kernel adds up to 50 us.
inline void sharpen_sleeps() noexcept {
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

/// Sleeps: a thread that spins would take a CPU from the broker. At least `sleep_min` at a time,
/// and so late by up to that.
/// @blocks until `due`
inline void await(Clock::time_point due,
                  Clock::duration sleep_min = std::chrono::microseconds{20}) {
  for (auto now = Clock::now(); now < due; now = Clock::now())
    std::this_thread::sleep_for(std::max(due - now, sleep_min));
}

}  // namespace spillway::perf
