#include "perf/common/counter_series.hpp"

#include <cstddef>
#include <cstdint>

#include "perf/common/report_lines.hpp"

namespace spillway::perf {
namespace {

constexpr auto step = std::chrono::milliseconds{100};
constexpr double step_s = std::chrono::duration<double>(step).count();

double a_second(std::uint64_t now, std::uint64_t before) {
  return static_cast<double>(now - before) / step_s;
}

}  // namespace

CounterSeries::CounterSeries(const Pipeline& pipeline)
    : pipeline_{pipeline}, thread_{[this](const std::stop_token& stop) { look(stop); }} {}

void CounterSeries::look(const std::stop_token& stop) {
  Metrics before = pipeline_.counters();
  for (auto due = begun_ + step; !stop.stop_requested(); due += step) {
    await(due);
    const Metrics now = pipeline_.counters();
    delivered_.push_back(a_second(now.delivered, before.delivered));
    spilled_.push_back(a_second(now.spilled, before.spilled));
    relayed_.push_back(a_second(now.relay.acked, before.relay.acked));
    depth_.push_back(static_cast<double>(now.outbox_queue_depth));
    before = now;
  }
}

void CounterSeries::put(const std::string& figure, const std::string& variant) {
  thread_.request_stop();
  thread_.join();
  const auto put_one = [&](const char* name, const char* unit, const std::vector<double>& values) {
    put_series({.figure = figure, .metric = name, .unit = unit, .variant = variant},
               {.series = name, .step_s = step_s, .values = values});
  };
  put_one("acked, direct", "msg/s", delivered_);
  put_one("spilled", "rows/s", spilled_);
  put_one("acked, relay", "msg/s", relayed_);
  put_one("outbox depth", "rows", depth_);
}

}  // namespace spillway::perf
