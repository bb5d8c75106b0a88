#include "perf/common/saturated_pairs.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "tools/spillway/text.hpp"

namespace spillway::perf {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t messages_first = 10'000;
constexpr std::size_t messages_min = 500;

}  // namespace

SaturatedPairs::SaturatedPairs(const Program& program, std::string figure, const Workload& workload,
                               double slice_seconds)
    : program_{program},
      figure_{std::move(figure)},
      variant_{workload.name()},
      sides_{program.config(), workload},
      messages_{messages_first} {
  const auto messages_in = [slice_seconds](double per_second) {
    return std::max(messages_min, static_cast<std::size_t>(per_second * slice_seconds));
  };
  const WarmUp limits = program.is_quick() ? WarmUp{500ms, 1s} : WarmUp{5s, 15s};
  const Warmth warmth = warm_up(limits, [&] {
    static_cast<void>(sides_.run(Side::ours, messages_));
    const auto baseline = sides_.run(Side::baseline, messages_);
    if (!baseline) return 0.0;
    // Slices grow to their length by and by, lest the first, cold one decide about the rest.
    messages_ = std::min(4 * messages_, messages_in(baseline->per_second));
    return baseline->per_second;
  });
  messages_ = messages_in(warmth.median);
  note(variant_ + ": " + (warmth.is_steady ? "warm, " : "warm, not steady, ") +
       program::grouped(messages_) + " messages a slice");
}

void SaturatedPairs::measure() {
  measure_pairs(
      program_.pairs(), program_.deadline(), [this](Side side) { return slice(side); },
      [this](const Pair<Throughput>& pair) { put("", pair); });
}

void SaturatedPairs::measure_noise() {
  measure_pairs(
      program_.pairs(), program_.deadline(), [this](Side) { return slice(Side::baseline); },
      [this](const Pair<Throughput>& pair) { put("noise: ", pair); });
}

std::optional<Throughput> SaturatedPairs::slice(Side side) {
  auto reading = sides_.run(side, messages_);
  if (!reading) put_void(figure_, variant_, sides_.void_reason());
  return reading;
}

void SaturatedPairs::put(const std::string& prefix, const Pair<Throughput>& pair) const {
  const auto put_one = [&](const Measure& measure, double Throughput::*value) {
    put_pair(measure, {.ours = pair.ours.*value,
                       .baseline = pair.baseline.*value,
                       .number = pair.number,
                       .ours_first = pair.ours_first,
                       .steal = pair.steal});
  };
  put_one({.figure = figure_,
           .metric = prefix + "acked throughput",
           .unit = "msg/s",
           .variant = variant_,
           .better = Better::more},
          &Throughput::per_second);
  put_one({.figure = figure_,
           .metric = prefix + "CPU per acked message",
           .unit = "ns",
           .variant = variant_,
           .better = Better::less},
          &Throughput::cpu_ns_each);
}

}  // namespace spillway::perf
