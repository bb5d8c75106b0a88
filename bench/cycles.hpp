// bench/cycles.hpp: the time of short calls: the processor's counter, fenced, its own cost
// subtracted.

#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#ifdef __x86_64__
#include <x86intrin.h>
#endif

namespace spillway::bench {

/// No instruction before it is still under way, and none after it has begun.
inline std::uint64_t read_cycles() noexcept {
#if defined(__x86_64__)
  _mm_lfence();
  const std::uint64_t now = __rdtsc();
  _mm_lfence();
  return now;
#elif defined(__aarch64__)
  std::uint64_t now = 0;
  asm volatile("isb; mrs %0, cntvct_el0; isb" : "=r"(now)::"memory");
  return now;
#else
#error "no cycle counter is known for this processor"
#endif
}

/// The value below which `fraction` of `values` lie. Reorders them; there is at least one.
inline std::uint64_t quantile_of(std::vector<std::uint64_t>& values, double fraction) {
  const auto rank = static_cast<std::size_t>(fraction * static_cast<double>(values.size() - 1));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank);
  std::ranges::nth_element(values, at);
  return *at;
}

/// Turns counter readings into nanoseconds.
class CycleClock {
 public:
  /// @blocks 20 ms
  CycleClock() {
    std::vector<std::uint64_t> costs(10'001);
    for (std::uint64_t& cost : costs) {
      const std::uint64_t begun = read_cycles();
      cost = read_cycles() - begun;
    }
    read_cost_ = quantile_of(costs, 0.5);

    using Clock = std::chrono::steady_clock;
    const Clock::time_point from = Clock::now();
    const std::uint64_t begun = read_cycles();
    while (Clock::now() - from < std::chrono::milliseconds{20}) {
    }
    const std::uint64_t cycles = read_cycles() - begun;
    cycles_per_ns_ = static_cast<double>(cycles) /
                     std::chrono::duration<double, std::nano>(Clock::now() - from).count();
  }

  /// What lay between two readings, without the reading.
  [[nodiscard]] std::uint64_t between(std::uint64_t begun, std::uint64_t ended) const noexcept {
    const std::uint64_t cycles = ended - begun;
    return cycles > read_cost_ ? cycles - read_cost_ : 0;
  }
  [[nodiscard]] double ns(std::uint64_t cycles) const noexcept {
    return static_cast<double>(cycles) / cycles_per_ns_;
  }
  [[nodiscard]] std::uint64_t cycles(std::chrono::nanoseconds time) const noexcept {
    return static_cast<std::uint64_t>(static_cast<double>(time.count()) * cycles_per_ns_);
  }

 private:
  std::uint64_t read_cost_ = 0;
  double cycles_per_ns_ = 1;
};

inline const CycleClock& cycle_clock() {
  static const CycleClock clock;
  return clock;
}

}  // namespace spillway::bench
