// sim: runs seeds of the simulation, or one of them, or a plan.
//
// usage: sim [--seeds N] [--first-seed S] [--seconds T] [--publishes N] [--counters] [--keep-going]
//            [--twice]
//        sim --seed S [--trace] [--shrink FILE]
//        sim --plan FILE [--trace] [--shrink FILE]
//        sim --plans DIRECTORY
//
//   --twice        each seed again: its trace must have the same hash
//   --shrink FILE  a plan that fails is made short, for at most a minute, and written to FILE
//   --plans        every plan of a directory; each stands for a bug that was mended
//
// A seed that fails prints the promise that broke and a command that does it again. 2,000 seeds and
// more fail too when a situation was never met. Exit codes: 0 all held, 1 one broke, 2 usage.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>

#include <malloc.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/shrink.hpp"
#include "sim/simulation.hpp"

namespace spillway::sim {
namespace {

struct Arguments {
  std::uint64_t seeds = 1'000;
  std::uint64_t first_seed = 1;
  double seconds = 0;  // 0: as long as it takes
  std::uint32_t publishes = 500;
  std::optional<std::uint64_t> seed;
  std::string plan;
  bool trace = false;
  bool counters = false;
  bool keep_going = false;
  bool twice = false;
  std::string shrink;
  std::string plans;
};

/// What a worker tells the process that watches it; in memory that both see.
struct Progress {
  std::uint64_t seed = 0;  // under way
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  Sometimes sometimes;
};

[[noreturn]] void usage() {
  std::cerr << "usage: sim [--seeds N] [--first-seed S] [--seconds T] [--publishes N] [--counters]"
               " [--keep-going] [--twice]\n       sim --seed S [--trace] [--shrink FILE]\n"
               "       sim --plan FILE [--trace] [--shrink FILE]\n       sim --plans DIRECTORY\n";
  std::exit(2);
}

Arguments parse(int count, char** values) {
  Arguments arguments;
  const auto number = [](const char* text) {
    char* end = nullptr;
    const std::uint64_t value = std::strtoull(text, &end, 0);
    if (end == text || *end != '\0') usage();
    return value;
  };
  for (int i = 1; i < count; ++i) {
    std::string name = values[i];
    std::string value;
    if (const std::size_t equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    }
    if (name == "--trace") {
      arguments.trace = true;
      continue;
    }
    if (name == "--counters") {
      arguments.counters = true;
      continue;
    }
    if (name == "--keep-going") {
      arguments.keep_going = true;
      continue;
    }
    if (name == "--twice") {
      arguments.twice = true;
      continue;
    }
    if (value.empty() && ++i < count) value = values[i];
    if (value.empty()) usage();
    if (name == "--seeds")
      arguments.seeds = number(value.c_str());
    else if (name == "--first-seed")
      arguments.first_seed = number(value.c_str());
    else if (name == "--seconds")
      arguments.seconds = std::strtod(value.c_str(), nullptr);
    else if (name == "--publishes")
      arguments.publishes = static_cast<std::uint32_t>(number(value.c_str()));
    else if (name == "--seed")
      arguments.seed = number(value.c_str());
    else if (name == "--plan")
      arguments.plan = value;
    else if (name == "--plans")
      arguments.plans = value;
    else if (name == "--shrink")
      arguments.shrink = value;
    else
      usage();
  }
  return arguments;
}

void print_failure(const RunResult& result, const std::string& replay) {
  std::cout << "FAIL " << result.violation->promise << "  step " << result.step << "  t=+"
            << std::chrono::duration<double>(result.at).count() << "s  trace " << std::hex
            << result.trace_hash << std::dec << "\n  " << result.violation->text
            << "\n  replay: " << replay << std::endl;
}

void write_shrunk(const Plan& plan, Disks& disks, const std::string& path) {
  constexpr std::chrono::seconds limit{60};
  const Plan shrunk = shrink(plan, disks, limit);
  std::ofstream file{path};
  write_plan(file, shrunk);
  std::cout << "  shrunk: sim --plan " << path << "  (" << shrunk.publishes.size() << " records, "
            << shrunk.outages.size() << " outages, " << shrunk.crashes.size() << " crashes, "
            << (shrunk.decisions ? shrunk.decisions->size() : 0) << " faults)" << std::endl;
}

int run_one(const Plan& plan, const std::string& name, const Arguments& arguments) {
  Disks disks;
  Sometimes sometimes;
  const RunResult result = run(plan, disks, sometimes, arguments.trace);
  if (arguments.counters) sometimes.print(std::cout);
  if (result.violation) {
    print_failure(result, "sim " + name + " --trace");
    if (!arguments.shrink.empty()) write_shrunk(plan, disks, arguments.shrink);
    return 1;
  }
  std::cout << "holds  step " << result.step << "  t=+"
            << std::chrono::duration<double>(result.at).count() << "s  trace " << std::hex
            << result.trace_hash << std::dec << std::endl;
  return 0;
}

// The worker. A SPILLWAY_CHECK that fails ends it, and the watching process goes on with the next
// seed.
void run_seeds(const Arguments& arguments, Progress& progress,
               std::chrono::steady_clock::time_point deadline) {
  Disks disks;
  const DrawSettings settings{.publishes = arguments.publishes};
  while (progress.done + progress.failed < arguments.seeds) {
    if (arguments.seconds > 0 && std::chrono::steady_clock::now() >= deadline) return;
    const std::uint64_t seed = progress.seed;
    const Plan plan = draw_plan(seed, settings);
    RunResult result = run(plan, disks, progress.sometimes);
    if (arguments.twice && !result.violation) {
      const RunResult again = run(plan, disks, progress.sometimes);
      if (again.trace_hash != result.trace_hash) {
        result.violation = {"replay", "its second run has another trace"};
      }
    }
    ++progress.seed;
    if (!result.violation) {
      ++progress.done;
      continue;
    }
    ++progress.failed;
    print_failure(result, "sim --seed " + std::to_string(seed) + " --trace");
    if (!arguments.keep_going) return;
  }
}

Progress& shared_progress() {
  void* const at =
      ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) std::abort();
  return *new (at) Progress;
}

int run_campaign(const Arguments& arguments) {
  Progress& progress = shared_progress();
  progress.seed = arguments.first_seed;
  const auto begun = std::chrono::steady_clock::now();
  const auto deadline = begun + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                    std::chrono::duration<double>(arguments.seconds));
  while (true) {
    const pid_t worker = ::fork();
    if (worker == 0) {
      run_seeds(arguments, progress, deadline);
      std::cout.flush();
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(worker, &status, 0);
    if (WIFEXITED(status)) break;
    std::cout << "FAIL check\n  replay: sim --seed " << progress.seed << " --trace" << std::endl;
    ++progress.failed;
    ++progress.seed;
    if (!arguments.keep_going) break;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  if (arguments.counters) progress.sometimes.print(std::cout);
  // Fewer seeds cannot be expected to meet everything.
  constexpr std::uint64_t seeds_that_meet_all = 2'000;
  std::size_t missing = 0;
  if (progress.done >= seeds_that_meet_all) missing = progress.sometimes.print_missing(std::cout);
  const auto rate = static_cast<std::uint64_t>(
      static_cast<double>(progress.done + progress.failed) / took.count());
  std::cout << "sim: " << progress.done << " done, " << progress.failed << " failed, " << rate
            << "/s, seed " << arguments.first_seed << std::endl;
  return progress.failed != 0 || missing != 0 ? 1 : 0;
}

int run_plan(const std::string& path, const Arguments& arguments) {
  std::ifstream file{path};
  std::string error = "cannot be read";
  const std::optional<Plan> plan = file ? read_plan(file, error) : std::nullopt;
  if (!plan) {
    std::cerr << "sim: " << path << ": " << error << '\n';
    return 2;
  }
  return run_one(*plan, "--plan " + path, arguments);
}

int run_plans(const Arguments& arguments) {
  int worst = 0;
  for (const auto& entry : std::filesystem::directory_iterator{arguments.plans}) {
    if (entry.path().extension() == ".plan") {
      worst = std::max(worst, run_plan(entry.path(), arguments));
    }
  }
  return worst;
}

}  // namespace
}  // namespace spillway::sim

int main(int count, char** values) {
  // What one run gives back the next one takes: without this, every life of a process asks the
  // system for its memory.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 24);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 28);
  const auto arguments = spillway::sim::parse(count, values);
  if (!arguments.plans.empty()) return run_plans(arguments);
  if (!arguments.plan.empty()) return run_plan(arguments.plan, arguments);
  if (!arguments.seed) return run_campaign(arguments);
  const spillway::sim::DrawSettings settings{.publishes = arguments.publishes};
  return run_one(draw_plan(*arguments.seed, settings), "--seed " + std::to_string(*arguments.seed),
                 arguments);
}
