// tools/spillway/load_report.hpp: what a load did, for people and for scripts.

#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "histogram.hpp"
#include "load_generator.hpp"
#include "objectives.hpp"
#include "spillway/metrics.hpp"

namespace spillway::program {

struct LoadReport {
  std::string topic;
  LoadPlan plan;
  std::uint32_t first_publisher = 0;
  double seconds = 0;  ///< First envelope due → the last one accepted.
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;  ///< Answers "journal_full"; each such envelope was tried again.
  bool settled = false;       ///< All of it, within the drain.
  bool stopped = false;       ///< By a signal.
  PublishLatency latency = {};
  Metrics metrics = {};
  std::vector<JudgedObjective> objectives = {};

  [[nodiscard]] double achieved_per_second() const noexcept;
  /// 98 % of what was asked for; below, the latencies say little.
  [[nodiscard]] bool rate_held() const noexcept;
};

/// count, p50, p90, p99, p99.9, p99.99 and max, in ns.
[[nodiscard]] nlohmann::ordered_json json_of(const Histogram& histogram);
/// Every counter of the pipeline, under the names of metrics.hpp.
[[nodiscard]] nlohmann::ordered_json json_of(const Metrics& metrics);
[[nodiscard]] nlohmann::ordered_json json_of(const LoadReport& report);

void print(std::ostream& out, const LoadReport& report);

}  // namespace spillway::program
