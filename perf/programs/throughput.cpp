// perf/programs/throughput.cpp: acked messages a second and CPU for each, saturated, against as
// many raw producers (F4).

#include <chrono>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "perf/common/program.hpp"
#include "perf/common/saturated_pairs.hpp"

namespace spillway::perf {
namespace {

struct Flags {
  unsigned lanes = 1;
  double slice_seconds = 0.4;
};

std::vector<Workload> workloads_of(const Flags& flags) {
  std::vector<Workload> workloads;
  for (const bool header : {true, false}) {
    for (const int partitions : {1, 4, 32}) {
      workloads.push_back(
          {.partitions = partitions, .lanes = flags.lanes, .baseline_has_header = header});
    }
  }
  return workloads;
}

void measure(const Program& program, const Flags& flags) {
  program.put_settings(
      {{"lanes", flags.lanes}, {"slice_s", flags.slice_seconds}, {"raw", lane_properties()}});
  for (const Workload& workload : workloads_of(flags)) {
    if (program.is_over()) return;
    SaturatedPairs pairs{program, "F4", workload, flags.slice_seconds};
    if (workload.partitions == 1) pairs.measure_noise();
    pairs.measure();
  }
}

}  // namespace
}  // namespace spillway::perf

int main(int argc, char** argv) {
  using namespace spillway::perf;
  Program program{{.name = "throughput",
                   .about = "Acked messages a second, saturated, and CPU time for each: "
                            "Spillway against as many raw producers as lanes"}};
  Flags flags;
  program.flags()
      .add_option("--lanes", flags.lanes, "Lanes, and raw producers")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  program.flags()
      .add_option("--slice", flags.slice_seconds, "Seconds of one slice, about")
      ->check(CLI::Range(0.02, 60.0))
      ->capture_default_str();
  return program.run(argc, argv, [&] { measure(program, flags); });
}
