// bench/readings.hpp: what one run measured, and its quantiles as counters.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "cycles.hpp"

namespace spillway::bench {

/// Times of `operations` each. For benchmarks with UseManualTime().
class Readings {
 public:
  Readings(std::size_t operations, std::size_t count_max) : operations_{operations} {
    cycles_.reserve(count_max);
  }

  void add(benchmark::State& state, std::uint64_t begun, std::uint64_t ended) {
    cycles_.push_back(cycle_clock().between(begun, ended));
    state.SetIterationTime(cycle_clock().ns(cycles_.back()) / 1e9);
  }

  /// Nanoseconds for each operation; of several threads, their mean.
  void report(benchmark::State& state, const char* name, double fraction) {
    if (cycles_.empty()) return;
    const double ns = cycle_clock().ns(quantile_of(cycles_, fraction));
    state.counters[name] =
        benchmark::Counter(ns / static_cast<double>(operations_), benchmark::Counter::kAvgThreads);
  }

 private:
  std::size_t operations_;
  std::vector<std::uint64_t> cycles_;
};

}  // namespace spillway::bench
