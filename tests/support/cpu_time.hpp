// tests/support/cpu_time.hpp: the CPU time that threads have used.

#pragma once

#include <chrono>
#include <ctime>

namespace spillway::test {

/// `clock`: CLOCK_PROCESS_CPUTIME_ID or CLOCK_THREAD_CPUTIME_ID.
[[nodiscard]] inline std::chrono::nanoseconds cpu_of(clockid_t clock) noexcept {
  timespec used{};
  ::clock_gettime(clock, &used);
  return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

}  // namespace spillway::test
