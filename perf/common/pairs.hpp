// perf/common/pairs.hpp: slices of both sides in turns: A B, B A, A B, ...; and when they have
// settled.
//
// What drifts hits both sides of a pair, and their ratio not at all.

#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "perf/common/cpu_time.hpp"

namespace spillway::perf {

enum class Side : std::uint8_t { ours, baseline };

template <class Reading>
struct Pair {
  Reading ours;
  Reading baseline;
  std::size_t number = 0;
  bool ours_first = true;
  double steal = 0;
};

/// `measure(Side)` → std::optional<Reading>, nothing for a slice that does not count, and then its
/// pair does not either; `use(const Pair<Reading>&)`. Begins no pair after `deadline`.
template <class Measure, class Use>
void measure_pairs(std::size_t count, std::chrono::steady_clock::time_point deadline,
                   Measure measure, Use use) {
  using Reading = typename decltype(measure(Side::ours))::value_type;
  for (std::size_t number = 0; number < count; ++number) {
    if (std::chrono::steady_clock::now() >= deadline) return;
    const bool ours_first = number % 2 == 0;
    const StealMeter steal;
    auto first = measure(ours_first ? Side::ours : Side::baseline);
    auto second = measure(ours_first ? Side::baseline : Side::ours);
    if (!first || !second) continue;
    if (!ours_first) std::swap(first, second);
    use(Pair<Reading>{*std::move(first), *std::move(second), number, ours_first, steal.share()});
  }
}

struct WarmUp {
  std::chrono::steady_clock::duration at_least;
  std::chrono::steady_clock::duration at_most;
};

struct Warmth {
  double median = 0;  ///< Of the last five.
  bool is_steady = false;
};

/// Calls `measure()` → double until it has for `at_least` and its last five answers agree within 5
/// %, or `at_most` has passed.
template <class Measure>
Warmth warm_up(const WarmUp& limits, Measure measure) {
  constexpr double agreement = 0.05;
  const auto begun = std::chrono::steady_clock::now();
  std::array<double, 5> last{};
  for (std::size_t n = 1;; ++n) {
    last[n % last.size()] = measure();
    if (n < last.size()) continue;
    auto sorted = last;
    std::ranges::sort(sorted);
    const Warmth warmth{.median = sorted[sorted.size() / 2],
                        .is_steady = sorted.back() - sorted.front() <= agreement * sorted.back()};
    const auto passed = std::chrono::steady_clock::now() - begun;
    if (warmth.is_steady && passed >= limits.at_least) return warmth;
    if (passed >= limits.at_most) return warmth;
  }
}

}  // namespace spillway::perf
