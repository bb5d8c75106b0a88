#include "perf/common/our_side.hpp"

#include <chrono>
#include <thread>

#include "tools/spillway/all_direct.hpp"
#include "tools/spillway/command.hpp"

namespace spillway::perf {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using program::CommandError;
using program::ExitCode;

constexpr auto direct_again_within = 60s;

Config config_for(Config config, unsigned lanes, const ScratchJournal& journal) {
  config.lanes.count = lanes;
  config.journal.path = journal.path();
  config.relay.enabled = true;
  return config;
}

std::uint64_t trips_of(const Metrics& metrics) {
  std::uint64_t trips = 0;
  for (const LaneMetrics& lane : metrics.lanes)
    trips += lane.trips;
  return trips;
}

bool is_direct(const Metrics& metrics) {
  return metrics.in_flight == 0 && program::all_direct(metrics);
}

}  // namespace

OurSide::OurSide(const Config& config, unsigned lanes, const std::string& topic)
    : pipeline_{Pipeline::open(config_for(config, lanes, journal_))},
      topic_{pipeline_.topic(topic)},
      before_{pipeline_.counters()} {}

void OurSide::mark() {
  before_ = pipeline_.counters();
}

std::optional<std::string> OurSide::detour(std::uint64_t messages) const {
  const Metrics after = pipeline_.counters();
  const std::uint64_t trips = trips_of(after) - trips_of(before_);
  const std::uint64_t delivered = after.delivered - before_.delivered;
  if (trips == 0 && delivered == messages) return std::nullopt;
  // What a trip left behind belongs to no later slice.
  const auto deadline = Clock::now() + direct_again_within;
  while (!is_direct(pipeline_.counters())) {
    if (Clock::now() >= deadline)
      throw CommandError{ExitCode::unusable,
                         "a lane that tripped is not direct again after a minute"};
    std::this_thread::sleep_for(10ms);
  }
  return "lanes tripped " + std::to_string(trips) + " times; " + std::to_string(delivered) +
         " of " + std::to_string(messages) + " messages had gone straight to Kafka";
}

}  // namespace spillway::perf
