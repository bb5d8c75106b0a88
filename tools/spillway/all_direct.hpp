// tools/spillway/all_direct.hpp: whether a pipeline's lanes are all on the direct path.

#pragma once

#include <algorithm>

#include "spillway/metrics.hpp"

namespace spillway::program {

[[nodiscard]] inline bool all_direct(const Metrics& metrics) noexcept {
  return std::ranges::all_of(
      metrics.lanes, [](const LaneMetrics& lane) { return lane.state == LaneState::direct; });
}

}  // namespace spillway::program
