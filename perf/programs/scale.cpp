// perf/programs/scale.cpp: how Spillway grows: throughput with publishers, lanes, partitions, keys
// and payloads (F15), the cost of a call with publishers (F14), memory with messages in flight
// (F13).

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "perf/common/held_bytes.hpp"
#include "perf/common/program.hpp"
#include "perf/common/publish_cpu.hpp"
#include "perf/common/saturated_pairs.hpp"
#include "tools/spillway/stack_control.hpp"
#include "tools/spillway/text.hpp"

namespace spillway::perf {
namespace {

struct Flags {
  double slice_seconds = 0.2;
  std::vector<std::string> axes;
};

struct Step {
  std::string axis;
  Workload workload;
};

std::vector<Step> all_steps() {
  std::vector<Step> steps;
  for (const std::size_t publishers : {1U, 2U, 4U, 8U, 16U, 32U, 64U})
    steps.push_back({"publishers", {.publishers = publishers}});
  // As many partitions, so that each lane's producer can have one of its own.
  for (const unsigned lanes : {1U, 2U, 3U, 4U})
    steps.push_back({"lanes", {.partitions = 4, .lanes = lanes}});
  for (const int partitions : {1, 4, 16, 64, 256})
    steps.push_back({"partitions", {.partitions = partitions}});
  for (const std::size_t keys : {1UL, 100UL, 10'000UL, 1'000'000UL})
    steps.push_back({"keys", {.keys = keys, .partitions = 4}});
  for (const std::size_t bytes : {64UL, 256UL, 1'024UL, 4'096UL, 16'384UL, 65'536UL})
    steps.push_back({"payload", {.payload_bytes = bytes}});
  return steps;
}

bool is_wanted(const std::vector<std::string>& axes, const std::string& axis) {
  return axes.empty() || std::ranges::find(axes, axis) != axes.end();
}

void measure_held(const Program& program) {
  const std::size_t messages = program.is_quick() ? 100'000 : 1'000'000;
  const std::size_t runs = program.is_quick() ? 1 : 3;
  const program::StackControl stack{""};
  const std::string variant = "200 B, " + program::grouped(messages) + " in flight";
  for (std::size_t run = 0; run < runs && !program.is_over(); ++run) {
    const HeldBytes ours = measure_held_bytes(program.config(), stack, Side::ours, messages);
    const HeldBytes raw = measure_held_bytes(program.config(), stack, Side::baseline, messages);
    put_sample({.figure = "F13",
                .metric = "bytes per message in flight",
                .unit = "B",
                .variant = variant,
                .better = Better::less},
               {.value = ours.beyond,
                .run = run,
                .parts = {{"journal", ours.journal}, {"heap", ours.heap}},
                .baseline = raw.beyond});
    constexpr double own_share_max = 96;
    put_count({.figure = "F13",
               .metric = "own bytes per message in flight",
               .unit = "B",
               .variant = variant},
              ours.beyond - raw.beyond, own_share_max);
  }
}

// So many publishers, and one of them alone as the baseline.
void measure_publish_cpu(const Program& program) {
  constexpr std::size_t publishers_max = 64;
  PublishCpu cost{program.config(), publishers_max};
  for (std::size_t publishers = 2; publishers <= publishers_max; publishers *= 2) {
    const std::string variant = std::to_string(publishers) + " publishers";
    const auto slice = [&](Side side) {
      auto reading = cost.run(side == Side::ours ? publishers : 1);
      if (!reading) put_void("F14", variant, "the journal had no room");
      return reading;
    };
    measure_pairs(program.pairs(), program.deadline(), slice, [&](const Pair<double>& pair) {
      put_pair({.figure = "F14",
                .metric = "CPU per publish",
                .unit = "ns",
                .variant = variant,
                .better = Better::less},
               {.ours = pair.ours,
                .baseline = pair.baseline,
                .number = pair.number,
                .ours_first = pair.ours_first,
                .steal = pair.steal});
    });
  }
}

void measure(const Program& program, const Flags& flags) {
  program.put_settings({{"slice_s", flags.slice_seconds},
                        {"cpus", std::thread::hardware_concurrency()},
                        {"raw", lane_properties()}});
  // First: what it forks has no threads, and a heap in which nothing has been freed yet.
  if (is_wanted(flags.axes, "held")) measure_held(program);
  if (is_wanted(flags.axes, "publishers")) measure_publish_cpu(program);
  for (const Step& step : all_steps()) {
    if (!is_wanted(flags.axes, step.axis)) continue;
    if (program.is_over()) return;
    SaturatedPairs{program, "F15", step.workload, flags.slice_seconds}.measure();
  }
}

}  // namespace
}  // namespace spillway::perf

int main(int argc, char** argv) {
  using namespace spillway::perf;
  Program program{{.name = "scale",
                   .about = "How throughput, the cost of a call and memory grow: publishers, "
                            "lanes, partitions, keys, payloads, messages in flight",
                   .pairs = 10,
                   .pairs_quick = 2,
                   .seconds = 900,
                   .seconds_quick = 120}};
  Flags flags;
  program.flags()
      .add_option("--axis", flags.axes, "Only this; may be given again")
      ->check(CLI::IsMember({"held", "publishers", "lanes", "partitions", "keys", "payload"}));
  program.flags()
      .add_option("--slice", flags.slice_seconds, "Seconds of one slice, about")
      ->check(CLI::Range(0.02, 60.0))
      ->capture_default_str();
  return program.run(argc, argv, [&] { measure(program, flags); });
}
