#include "demo_watch.hpp"

#include <algorithm>

#include "all_direct.hpp"

namespace spillway::program {

using namespace std::chrono_literals;

FailoverWatch::FailoverWatch(const Pipeline& pipeline, std::chrono::milliseconds at_most)
    : began_{DemoClock::now()}, thread_{[this, &pipeline, at_most] {
        if (pipeline.flush(began_ + at_most)) settled_.note(DemoClock::now());
      }} {}

std::optional<std::chrono::nanoseconds> FailoverWatch::result() {
  if (thread_.joinable()) thread_.join();
  const auto settled = settled_.get();
  return settled ? std::optional{*settled - began_} : std::nullopt;
}

RecoveryWatch::RecoveryWatch(const Pipeline& pipeline, const RawClient& raw)
    : pipeline_{pipeline},
      raw_{raw},
      acked_before_{pipeline.counters().relay.acked},
      thread_{[this](const std::stop_token& stop) { watch(stop); }} {}

void RecoveryWatch::watch(const std::stop_token& stop) noexcept {
  while (!stop.stop_requested() && !(all_direct_.get() && outbox_empty_.get())) {
    std::this_thread::sleep_for(1ms);
    const Metrics metrics = pipeline_.counters();
    const auto now = DemoClock::now();
    if (!first_row_.get() && metrics.relay.acked > acked_before_) first_row_.note(now);
    const bool holds =
        std::ranges::any_of(metrics.lanes, [](const auto& lane) { return lane.held != 0; });
    if (!released_.get() && !holds) released_.note(now);
    if (!outbox_empty_.get() && first_row_.get() && metrics.outbox_queue_depth == 0 && !holds) {
      outbox_empty_.note(now);
    }
    // Somebody must have heard from Kafka: a lane that has not missed it yet is direct, too.
    const bool is_back = raw_.first_ack() || first_row_.get();
    if (is_back && !all_direct_.get() && program::all_direct(metrics)) all_direct_.note(now);
  }
}

}  // namespace spillway::program
