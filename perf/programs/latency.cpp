// perf/programs/latency.cpp: from the moment a message is due to its ack, in an open loop: what
// Spillway adds to librdkafka (F5).

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "perf/common/open_loop.hpp"
#include "perf/common/program.hpp"
#include "perf/common/saturation.hpp"
#include "tools/spillway/text.hpp"

namespace spillway::perf {
namespace {

using namespace std::chrono_literals;

constexpr const char* figure = "F5";

struct Flags {
  double slice_seconds = 0.5;
  double look_us = 25;
};

struct Rate {
  std::string variant;
  double per_second;
};

// What both sides reach in a closed loop, to one partition.
double measure_maximum(const Program& program) {
  Saturation sides{program.config(), Workload{}};
  std::size_t messages = 20'000;
  const auto rate_of = [&](Side side) {
    while (!program.is_over()) {
      if (const auto reading = sides.run(side, messages)) return reading->per_second;
      note("maximum: " + sides.void_reason());
    }
    return 0.0;
  };
  const WarmUp limits = program.is_quick() ? WarmUp{500ms, 1s} : WarmUp{5s, 15s};
  const Warmth warmth = warm_up(limits, [&] {
    const double both = std::min(rate_of(Side::ours), rate_of(Side::baseline));
    messages = std::clamp(static_cast<std::size_t>(both * 0.4), messages, 4 * messages);
    return both;
  });
  return warmth.median;
}

std::vector<Rate> rates_of(double maximum) {
  std::vector<Rate> rates{{"1 k/s", 1e3}, {"10 k/s", 10e3}, {"50 k/s", 50e3}, {"100 k/s", 100e3}};
  if (maximum > 0) {
    rates.push_back({"50 % of maximum", 0.5 * maximum});
    rates.push_back({"70 % of maximum", 0.7 * maximum});
  }
  return rates;
}

double nanoseconds(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count());
}

struct Quantile {
  const char* name;
  double fraction;
};
constexpr Quantile quantiles[] = {{"p50", 0.5}, {"p99", 0.99}};

void put(const std::string& prefix, const std::string& variant, const Pair<OpenLoopReading>& pair) {
  for (const Quantile& quantile : quantiles) {
    const double ours = nanoseconds(pair.ours.ack.quantile(quantile.fraction));
    const double baseline = nanoseconds(pair.baseline.ack.quantile(quantile.fraction));
    const Measure measure{.figure = figure,
                          .metric = prefix + "latency " + quantile.name,
                          .unit = "ns",
                          .variant = variant,
                          .better = Better::less};
    put_pair(measure, {.ours = ours,
                       .baseline = baseline,
                       .number = pair.number,
                       .ours_first = pair.ours_first,
                       .steal = pair.steal});
  }
}

struct Sum {
  OpenLoopReading ours;
  OpenLoopReading baseline;

  void add(const Pair<OpenLoopReading>& pair) {
    ours.ack.add(pair.ours.ack);
    ours.start_delay.add(pair.ours.start_delay);
    baseline.ack.add(pair.baseline.ack);
    baseline.start_delay.add(pair.baseline.start_delay);
  }
  void put(const std::string& variant) const {
    put_histogram(figure, variant, Series::ours, ours.ack);
    put_histogram(figure, variant, Series::baseline, baseline.ack);
    put_histogram(figure, variant + ", start delay", Series::ours, ours.start_delay);
    put_histogram(figure, variant + ", start delay", Series::baseline, baseline.start_delay);
  }
};

void measure_at(const Program& program, const Flags& flags, OpenLoop& loop, const Rate& rate) {
  const auto slice = [&](Side side) {
    auto reading = loop.run(side, rate.per_second, flags.slice_seconds);
    if (!reading) put_void(figure, rate.variant, loop.void_reason());
    return reading;
  };
  const WarmUp limits = program.is_quick() ? WarmUp{500ms, 1s} : WarmUp{3s, 9s};
  const Warmth warmth = warm_up(limits, [&] {
    static_cast<void>(loop.run(Side::ours, rate.per_second, flags.slice_seconds));
    const auto reading = loop.run(Side::baseline, rate.per_second, flags.slice_seconds);
    return reading ? nanoseconds(reading->ack.quantile(0.5)) : 0;
  });
  note(rate.variant + ": " + (warmth.is_steady ? "warm" : "warm, not steady"));

  Sum sum;
  measure_pairs(program.pairs(), program.deadline(), slice, [&](const Pair<OpenLoopReading>& pair) {
    put("", rate.variant, pair);
    sum.add(pair);
  });
  sum.put(rate.variant);
  measure_pairs(
      program.pairs(), program.deadline(), [&](Side) { return slice(Side::baseline); },
      [&](const Pair<OpenLoopReading>& pair) { put("noise: ", rate.variant, pair); });
}

void measure(const Program& program, const Flags& flags) {
  const double maximum = measure_maximum(program);
  program.put_settings({{"slice_s", flags.slice_seconds},
                        {"look_every_us", flags.look_us},
                        {"maximum_per_s", maximum},
                        {"raw", lane_properties()}});
  note("maximum: " + program::grouped(static_cast<std::uint64_t>(maximum)) + "/s");
  OpenLoop loop{program.config(), std::chrono::round<Clock::duration>(
                                      std::chrono::duration<double, std::micro>{flags.look_us})};
  for (const Rate& rate : rates_of(maximum)) {
    if (program.is_over()) return;
    measure_at(program, flags, loop, rate);
  }
}

}  // namespace
}  // namespace spillway::perf

int main(int argc, char** argv) {
  using namespace spillway::perf;
  Program program{{.name = "latency",
                   .about =
                       "Due to acked, open loop, at several rates: what Spillway adds to a raw "
                       "producer",
                   .seconds = 900,
                   .seconds_quick = 90}};
  Flags flags;
  program.flags()
      .add_option("--slice", flags.slice_seconds, "Seconds of one slice")
      ->check(CLI::Range(0.05, 60.0))
      ->capture_default_str();
  program.flags()
      .add_option("--look", flags.look_us, "Microseconds between two looks for acks, on both sides")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
  return program.run(argc, argv, [&] { measure(program, flags); });
}
