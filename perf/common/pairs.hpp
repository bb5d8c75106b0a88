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

/// Calls `measure()` → double until it has for `at_least` and its last five answers agree within 5
/// %. False: they did not by `at_most`.
template <class Measure>
bool warm_up(const WarmUp& limits, Measure measure) {
  constexpr double agreement = 0.05;
  const auto begun = std::chrono::steady_clock::now();
  std::array<double, 5> last{};
  for (std::size_t n = 0;; ++n) {
    const auto passed = std::chrono::steady_clock::now() - begun;
    const auto [least, most] = std::ranges::minmax(last);
    const bool agree = n >= last.size() && most - least <= agreement * most;
    if (agree && passed >= limits.at_least) return true;
    if (passed >= limits.at_most) return false;
    last[n % last.size()] = measure();
  }
}

}  // namespace spillway::perf
