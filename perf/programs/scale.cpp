// perf/programs/scale.cpp: throughput as one thing grows and all else stays: publishers, lanes,
// partitions, keys, payload (F14, F15).

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "perf/common/program.hpp"
#include "perf/common/saturated_pairs.hpp"

namespace spillway::perf {
namespace {

struct Flags {
  double slice_seconds = 0.2;
  std::vector<std::string> axes;
};

struct Step {
  std::string axis;
  std::string figure;
  Workload workload;
};

std::vector<Step> all_steps() {
  std::vector<Step> steps;
  for (const std::size_t publishers : {1U, 2U, 4U, 8U, 16U, 32U, 64U})
    steps.push_back({"publishers", "F14", {.publishers = publishers}});
  // As many partitions, so that each lane's producer can have one of its own.
  for (const unsigned lanes : {1U, 2U, 3U, 4U})
    steps.push_back({"lanes", "F15", {.partitions = 4, .lanes = lanes}});
  for (const int partitions : {1, 4, 16, 64, 256})
    steps.push_back({"partitions", "F15", {.partitions = partitions}});
  for (const std::size_t keys : {1UL, 100UL, 10'000UL, 1'000'000UL})
    steps.push_back({"keys", "F15", {.keys = keys, .partitions = 4}});
  for (const std::size_t bytes : {64UL, 256UL, 1'024UL, 4'096UL, 16'384UL, 65'536UL})
    steps.push_back({"payload", "F15", {.payload_bytes = bytes}});
  return steps;
}

bool is_wanted(const std::vector<std::string>& axes, const std::string& axis) {
  return axes.empty() || std::ranges::find(axes, axis) != axes.end();
}

void measure(const Program& program, const Flags& flags) {
  program.put_settings({{"slice_s", flags.slice_seconds},
                        {"cpus", std::thread::hardware_concurrency()},
                        {"raw", lane_properties()}});
  for (const Step& step : all_steps()) {
    if (!is_wanted(flags.axes, step.axis)) continue;
    if (program.is_over()) return;
    SaturatedPairs{program, step.figure, step.workload, flags.slice_seconds}.measure();
  }
}

}  // namespace
}  // namespace spillway::perf

int main(int argc, char** argv) {
  using namespace spillway::perf;
  Program program{{.name = "scale",
                   .about = "Saturated throughput as publishers, lanes, partitions, keys or "
                            "payloads grow, beside as many raw producers as lanes",
                   .pairs = 10,
                   .pairs_quick = 2,
                   .seconds = 900,
                   .seconds_quick = 120}};
  Flags flags;
  program.flags()
      .add_option("--axis", flags.axes, "Only this; may be given again")
      ->check(CLI::IsMember({"publishers", "lanes", "partitions", "keys", "payload"}));
  program.flags()
      .add_option("--slice", flags.slice_seconds, "Seconds of one slice, about")
      ->check(CLI::Range(0.02, 60.0))
      ->capture_default_str();
  return program.run(argc, argv, [&] { measure(program, flags); });
}
