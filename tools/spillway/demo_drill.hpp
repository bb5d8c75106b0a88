// tools/spillway/demo_drill.hpp: one run of the demo: load, the broker's death, its return, the
// audit.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "demo_result.hpp"
#include "demo_view.hpp"
#include "spillway/config.hpp"
#include "spillway/metrics.hpp"
#include "stack_control.hpp"
#include "stop_signal.hpp"

namespace spillway::program {

struct DemoPlan {
  LoadPlan load{.per_second = 20'000, .publishers = 4};
  int partitions = 4;
  std::chrono::milliseconds kill_after = std::chrono::seconds{3};
  std::chrono::milliseconds away_for = std::chrono::seconds{3};
  std::chrono::milliseconds direct_for = std::chrono::seconds{3};  ///< Then it ends.
  std::chrono::milliseconds at_most = std::chrono::seconds{60};
  bool keep_topic = true;
};

/// Asks for a snapshot while a run has a pipeline; empty when it has none.
using OfferMetrics = std::function<void(std::function<Metrics()>)>;

/// @throws CommandError; StartError. When a signal ends it the broker is started again first.
[[nodiscard]] DemoResult run_drill(const DemoPlan& plan, const Config& config,
                                   const StackControl& stack, StopSignal& stop, DemoView& view,
                                   const OfferMetrics& offer);

}  // namespace spillway::program
