// perf/common/saturated_pairs.hpp: pairs of saturated slices of one workload, told as they come.

#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "perf/common/program.hpp"
#include "perf/common/saturation.hpp"

namespace spillway::perf {

class SaturatedPairs {
 public:
  /// Opens both sides and warms them up. @throws as Saturation does
  SaturatedPairs(const Program& program, std::string figure, const Workload& workload,
                 double slice_seconds);

  /// "acked throughput" and "CPU per acked message".
  void measure();
  /// The same of the baseline against itself: what a difference is if there is none.
  void measure_noise();

 private:
  [[nodiscard]] std::optional<Throughput> slice(Side side);
  void put(const std::string& prefix, const Pair<Throughput>& pair) const;

  const Program& program_;
  std::string figure_;
  std::string variant_;
  Saturation sides_;
  std::size_t messages_;  ///< Of one slice.
};

}  // namespace spillway::perf
