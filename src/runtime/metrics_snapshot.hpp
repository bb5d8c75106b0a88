// src/runtime/metrics_snapshot.hpp: counters → the public metrics' values.

#pragma once

#include <cstdint>
#include <vector>

#include "handoff/counters.hpp"
#include "spillway/metrics.hpp"

namespace spillway::runtime {

/// Sums histograms, then digests them.
class LatencySum {
 public:
  void add(const handoff::SharedHistogram& histogram) { histogram.add_to(counts_, sum_, max_); }
  [[nodiscard]] Latency digest() const;

 private:
  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(core::histogram_buckets);
  std::uint64_t sum_ = 0;
  std::uint64_t max_ = 0;
};

[[nodiscard]] LaneMetrics lane_metrics(const handoff::LaneCounters& counters, std::uint64_t now_ns);
[[nodiscard]] RelayMetrics relay_metrics(const handoff::RelayCounters& counters);

}  // namespace spillway::runtime
