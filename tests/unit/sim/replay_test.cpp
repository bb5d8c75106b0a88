// tests/unit/sim/replay_test.cpp: a seed is a history: it comes out the same every time.

#include <cstdint>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "support/sim/sim_service.hpp"
#include "support/temporary_directory.hpp"

namespace spillway::sim {
namespace {

using namespace std::chrono_literals;

/// A service and a relay through many accidents.
std::uint64_t trace_of(std::uint64_t seed) {
  FaultPlan plan;
  plan.seed = seed;
  plan.kafka.request_lost = plan.kafka.answer_lost = plan.kafka.reports_shuffled = {50'000};
  plan.kafka.fatal = {5'000};
  plan.postgres.lost_after_commit = plan.postgres.limbo = {50'000};
  plan.redis.push_lost = {300'000};
  World world{plan};
  world.kafka().create_topic("orders", {.partitions = 2});
  const test::TemporaryDirectory directory;
  ServiceSettings settings;
  settings.journal_path = directory.file("journal");
  settings.lanes = 2;
  SimService service{world, settings};
  SimRelay relay{world, {.actor = {50}}};

  for (int i = 0; i < 3'000; ++i) {
    if (i == 800) world.kafka().set_state(ServerState::hung, world.now());
    if (i == 2'000) world.kafka().set_state(ServerState::up, world.now());
    if (i % 7 == 0) {
      const std::string n = std::to_string(i);
      EXPECT_TRUE(service.publish("orders", {.key = "k" + n, .payload = n}));
    }
    world.advance(world.now() + 200us);
    service.step();
    relay.step();
  }
  return world.trace().hash();
}

TEST(Replay, GivesTheSameHistoryForASeed) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed)
    EXPECT_EQ(trace_of(seed), trace_of(seed));
}

TEST(Replay, GivesAnotherHistoryForAnotherSeed) {
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 5; ++seed)
    hashes.insert(trace_of(seed));

  EXPECT_EQ(hashes.size(), 5U);
}

}  // namespace
}  // namespace spillway::sim
