// tests/unit/loops/taken_back_test.cpp: a failover with records that the producer had kept back
// (P1, P3).

#include "unit/loops/on_simulated_servers.hpp"

namespace spillway::loops {
namespace {

using sim::ServerState;

class TakenBack : public OnSimulatedServers {
 protected:
  TakenBack() {
    sim::FaultPlan plan;
    plan.kafka.kept_back = sim::always;
    build_world(plan);
  }
};

TEST_F(TakenBack, HoldsNothingThatItsProducerHadNotBegunToSend) {
  hold_in_flight(40);
  publish(10);

  ASSERT_TRUE(runs_until([&] { return rows() == 50; }));
  EXPECT_GT(held_rows(), 0U);
  EXPECT_LT(held_rows(), 40U);
  EXPECT_EQ(service().counters().held.get(), held_rows());
  const std::size_t held = held_rows();

  kafka().set_state(ServerState::up, world().now());
  ASSERT_TRUE(runs_until([&] { return in_kafka() == held; }));
  run_for(100ms);
  EXPECT_EQ(in_kafka(), held) << "the others are the relay's";
  relay();
  ASSERT_TRUE(runs_until([&] { return all_is_settled(); }));
  expect_nothing_lost_reordered_or_twice();
  expect_first_occurrences_ascend();
  expect_conservation();
  EXPECT_EQ(marked_in_kafka(), 0U);
}

// What was taken back and what the recall returns stand between one another.
TEST_F(TakenBack, KeepsTheOrderOfWhatWasTakenBackAndOfWhatAFatalProducerReturns) {
  database().set_state(ServerState::down, world().now());
  hold_in_flight(40);
  publish(10);

  service().broker().turn_fatal();
  ASSERT_TRUE(runs_until([&] { return service().counters().recalls.get() == 1; }));
  relay();
  database().set_state(ServerState::up, world().now());
  kafka().set_state(ServerState::up, world().now());
  ASSERT_TRUE(runs_until([&] { return all_is_settled(); }));

  expect_nothing_lost_reordered_or_twice();
  expect_first_occurrences_ascend();
  expect_conservation();
}

TEST_F(TakenBack, TakesTheShortcutWithWhatWasTakenBack) {
  database().set_state(ServerState::down, world().now());
  hold_in_flight(40);
  publish(10);
  run_for(300ms);

  kafka().set_state(ServerState::up, world().now());
  ASSERT_TRUE(gets_to(LaneState::direct));
  ASSERT_TRUE(runs_until([&] { return in_kafka() == 50; }));

  EXPECT_EQ(database().row_count(), 0U);
  expect_nothing_lost_reordered_or_twice();
  expect_first_occurrences_ascend();
  EXPECT_EQ(marked_in_kafka(), 0U);
}

}  // namespace
}  // namespace spillway::loops
