// perf/common/counter_series.hpp: how a pipeline's counters grow, ten times a second: what the
// picture of an outage is drawn from.

#pragma once

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "perf/common/pacer.hpp"
#include "spillway/pipeline.hpp"

namespace spillway::perf {

class CounterSeries {
 public:
  /// Begins to look; `pipeline` must outlive it.
  explicit CounterSeries(const Pipeline& pipeline);

  [[nodiscard]] double seconds_at(Clock::time_point moment) const noexcept {
    return std::chrono::duration<double>(moment - begun_).count();
  }
  /// Ends, and tells of each counter what it grew by, a second, in each step.
  void put(const std::string& figure, const std::string& variant);

 private:
  void look(const std::stop_token& stop);

  const Pipeline& pipeline_;
  Clock::time_point begun_ = Clock::now();
  std::vector<double> delivered_;
  std::vector<double> spilled_;
  std::vector<double> relayed_;
  std::vector<double> depth_;
  std::jthread thread_;  // last
};

}  // namespace spillway::perf
