#include "runtime/metrics_snapshot.hpp"

#include <array>
#include <limits>
#include <numeric>

namespace spillway::runtime {
namespace {

// 100 us to 10 s, about three a decade.
constexpr std::array<std::uint64_t, 16> edges_ns{
    100'000,       250'000,       500'000,       1'000'000,     2'500'000,   5'000'000,
    10'000'000,    25'000'000,    50'000'000,    100'000'000,   250'000'000, 500'000'000,
    1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000};

}  // namespace

Latency LatencySum::digest() const {
  Latency latency{.count = std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}),
                  .sum_ns = sum_,
                  .p50_ns = core::quantile(counts_, 0.5),
                  .p90_ns = core::quantile(counts_, 0.9),
                  .p99_ns = core::quantile(counts_, 0.99),
                  .p999_ns = core::quantile(counts_, 0.999),
                  .max_ns = max_,
                  .buckets = {}};
  std::uint64_t below = 0;
  std::size_t bucket = 0;
  for (const std::uint64_t edge : edges_ns) {
    for (; bucket < counts_.size() && core::upper_edge(bucket) <= edge; ++bucket) {
      below += counts_[bucket];
    }
    latency.buckets.push_back({.upper_ns = edge, .count = below});
  }
  latency.buckets.push_back(
      {.upper_ns = std::numeric_limits<std::uint64_t>::max(), .count = latency.count});
  return latency;
}

LaneMetrics lane_metrics(const handoff::LaneCounters& counters, std::uint64_t now_ns) {
  const std::uint64_t accepted = counters.accepted.get();
  const std::uint64_t freed = counters.freed.get();
  const std::uint64_t since = counters.state_since_ns.get();
  return {.state = LaneState{static_cast<std::uint8_t>(counters.state.get())},
          .accepted = accepted,
          .delivered = counters.delivered.get(),
          .spilled = counters.spilled.get(),
          .dead_lettered = counters.dead_lettered.get(),
          .in_flight = accepted > freed ? accepted - freed : 0,
          .held = counters.held.get(),
          .held_copies = counters.held_copies.get(),
          .trips = counters.trips.get(),
          .recalls = counters.recalls.get(),
          .renumbered = counters.renumbered.get(),
          .marked = counters.marked.get(),
          .in_state_ns = since != 0 && now_ns > since ? now_ns - since : 0};
}

RelayMetrics relay_metrics(const handoff::RelayCounters& counters) {
  return {.running = counters.running.get() != 0,
          .acked = counters.acked.get(),
          .relayed = counters.relayed.get(),
          .dead_lettered = counters.dead_lettered.get(),
          .marked = counters.marked.get(),
          .wakeups = counters.wakeups.get(),
          .scans = counters.scans.get(),
          .leases = counters.leases.get(),
          .adoptions = counters.adoptions.get(),
          .interval_ns = counters.interval_ns.get(),
          .fatal_errors = counters.fatal_errors.get()};
}

}  // namespace spillway::runtime
