// tests/unit/loops/lane_loop_test.cpp: a lane through an outage: trip, hold, release, return (P3,
// P8, P15).

#include "loops/lane_loop.hpp"

#include <set>
#include <string>

#include "unit/loops/on_simulated_servers.hpp"

namespace spillway::loops {
namespace {

using sim::ServerState;

class Lane : public OnSimulatedServers {};

TEST_F(Lane, SendsToKafkaAndTouchesNothingElseWhileAllIsWell) {
  start_direct();

  publish(1'000);
  ASSERT_TRUE(runs_until([&] { return in_kafka() == 1'000; }));
  run_for(10ms);

  EXPECT_EQ(service().counters().delivered.get(), 1'000U);
  EXPECT_EQ(service().in_journal(), 0U);
  EXPECT_EQ(tables().written_through, core::Seq{});
  EXPECT_EQ(service().wakeups().notified(), 0U);
  expect_nothing_lost_reordered_or_twice();
}

TEST_F(Lane, StaysDirectThroughAHangThatIsShorterThanItsPatience) {
  start_direct();
  run_for(2s);  // past the time in which it is more patient
  kafka().set_state(ServerState::hung, world().now());
  publish(10);

  run_for(70ms);
  kafka().set_state(ServerState::up, world().now());
  run_for(100ms);

  EXPECT_EQ(service().counters().trips.get(), 0U);
  EXPECT_EQ(service().counters().delivered.get(), 10U);
}

TEST_F(Lane, DoesNotOscillateWhenTheBrokerComesAndGoes) {
  start_direct();
  relay();
  constexpr unsigned seconds = 10;

  for (unsigned tenths = 0; tenths < 10 * seconds; ++tenths) {
    kafka().set_state(ServerState::down, world().now());
    publish(1);
    run_for(20ms);
    kafka().set_state(ServerState::up, world().now());
    publish(1);
    run_for(80ms);
  }

  EXPECT_GE(service().counters().trips.get(), 2U) << "else it never came back in between";
  EXPECT_LE(3 * service().counters().trips.get(), 2 * seconds) << "three changes of state each";
  ASSERT_TRUE(gets_to(LaneState::direct));
}

TEST_F(Lane, TripsWhenTheOldestRecordIsAsOldAsItsPatience) {
  start_direct();
  run_for(2s);
  kafka().set_state(ServerState::hung, world().now());
  publish(10);

  run_for(80ms);

  EXPECT_EQ(service().state(), LaneState::spilling);
}

TEST_F(Lane, StaysDirectWithABrokerThatIsSlowerThanItsPatienceForAsLongAsItIs) {
  start_direct();

  for (int times = 0; times < 30; ++times) {
    kafka().set_state(ServerState::hung, world().now());
    publish(10);
    run_for(100ms);
    kafka().set_state(ServerState::up, world().now());
    run_for(20ms);
  }

  EXPECT_EQ(service().counters().trips.get(), 0U);
  EXPECT_EQ(service().counters().delivered.get(), 300U);
  run_for(1s);
  kafka().set_state(ServerState::hung, world().now());
  publish(10);
  run_for(80ms);
  EXPECT_EQ(service().state(), LaneState::spilling) << "its patience is what it was";
}

TEST_F(Lane, SendsNothingBehindWhatKafkaHasNotAnsweredForAWhile) {
  start_direct();
  run_for(2s);
  kafka().set_state(ServerState::hung, world().now());
  publish(10);
  run_for(30ms);
  publish(10);
  ASSERT_TRUE(gets_to(LaneState::spilling));

  ASSERT_TRUE(runs_until([&] { return rows() == 20; }));

  EXPECT_EQ(held_rows(), 10U);
}

TEST_F(Lane, GivesABrokerThatDoesNotAnswerAFewRecordsOnly) {
  start_direct();
  run_for(2s);
  kafka().set_state(ServerState::hung, world().now());
  publish(1'000);
  ASSERT_TRUE(gets_to(LaneState::spilling));

  ASSERT_TRUE(runs_until([&] { return rows() == 1'000; }));

  EXPECT_EQ(held_rows(), AckClock::first);
}

TEST_F(Lane, TripsAtOnceWhenNoBrokerIsUp) {
  start_direct();
  kafka().set_state(ServerState::hung, world().now());
  publish(10);
  tick();

  kafka().set_state(ServerState::down, world().now());
  tick();

  EXPECT_EQ(service().state(), LaneState::spilling);
}

TEST_F(Lane, CopiesTheHeldRecordsFirstAndMarksTheirRowsHeld) {
  hold_in_flight(20);
  publish(5);

  ASSERT_TRUE(runs_until([&] { return rows() == 25; }));

  EXPECT_EQ(held_rows(), 20U);
  EXPECT_EQ(tables().held_through, core::Seq{20});
  EXPECT_EQ(tables().written_through, core::Seq{25});
}

TEST_F(Lane, CountsAHeldRecordAsInFlightAndItsCopyAsSettled) {
  hold_in_flight(20);
  ASSERT_TRUE(runs_until([&] { return rows() == 20; }));
  run_for(5ms);

  const auto stamp_of_last = service().counters().settled_below.get();

  EXPECT_EQ(service().in_journal(), 20U) << "librdkafka still reads them";
  EXPECT_GT(stamp_of_last, 0U);
  EXPECT_EQ(service().counters().spilled.get(), 0U);
  expect_conservation();
}

TEST_F(Lane, DeletesTheHeldRowsWhenKafkaHasTakenThem) {
  hold_in_flight(20);
  ASSERT_TRUE(runs_until([&] { return held_rows() == 20; }));

  kafka().set_state(ServerState::up, world().now());
  ASSERT_TRUE(runs_until([&] { return rows() == 0; }));
  run_for(5ms);

  EXPECT_EQ(in_kafka(), 20U);
  EXPECT_EQ(tables().held_through, core::Seq{});
  EXPECT_EQ(service().counters().delivered.get(), 20U);
  EXPECT_EQ(service().in_journal(), 0U);
  expect_nothing_lost_reordered_or_twice();
}

TEST_F(Lane, WakesTheRelayOnlyForRowsThatItMaySend) {
  hold_in_flight(20);
  publish(30);
  ASSERT_TRUE(runs_until([&] { return rows() == 50; }));
  run_for(5ms);
  EXPECT_EQ(service().wakeups().notified(), 0U) << "it may send none before the release";

  kafka().set_state(ServerState::up, world().now());
  ASSERT_TRUE(runs_until([&] { return rows() == 30; }));
  run_for(5ms);
  EXPECT_EQ(service().wakeups().notified(), 1U);
}

TEST_F(Lane, IsDirectAgainWhenTheRelayHasPassedItsLastRow) {
  relay();
  hold_in_flight(20);
  publish(100);
  ASSERT_TRUE(runs_until([&] { return rows() == 120; }));

  kafka().set_state(ServerState::up, world().now());
  ASSERT_TRUE(gets_to(LaneState::direct));
  publish(50);
  ASSERT_TRUE(runs_until([&] { return all_is_settled(); }));

  EXPECT_EQ(in_kafka(), 170U);
  EXPECT_EQ(marked_in_kafka(), 0U) << "an outage of Kafka makes no copies";
  EXPECT_EQ(service().counters().delivered.get(), 70U);
  EXPECT_EQ(service().counters().spilled.get(), 100U);
  expect_nothing_lost_reordered_or_twice();
  expect_conservation();
}

TEST_F(Lane, LetsNewRecordsWaitInTheJournalWhileItReturns) {
  hold_in_flight(5);
  publish(10);  // rows for a relay that is not there
  ASSERT_TRUE(runs_until([&] { return rows() == 15; }));
  kafka().set_state(ServerState::up, world().now());
  ASSERT_TRUE(gets_to(LaneState::returning));

  publish(10);
  run_for(50ms);

  EXPECT_EQ(service().state(), LaneState::returning);
  EXPECT_EQ(tables().written_through, core::Seq{15});
  EXPECT_EQ(in_kafka(), 5U);
}

TEST_F(Lane, SpillsAgainWhenTheRelayDoesNotPassItsRowsInTime) {
  settings().lane.limits.return_within = 1s;
  hold_in_flight(5);
  publish(10);
  kafka().set_state(ServerState::up, world().now());
  ASSERT_TRUE(gets_to(LaneState::returning));
  publish(10);

  run_for(1'100ms);

  EXPECT_EQ(tables().written_through, core::Seq{25});
  EXPECT_EQ(in_kafka(), 5U);
}

TEST_F(Lane, SpillsAgainWhenTheJournalPassesItsHighWaterMark) {
  settings().lane.limits.high_water_percent = 50;
  hold_in_flight(5);
  publish(10);
  kafka().set_state(ServerState::up, world().now());
  ASSERT_TRUE(gets_to(LaneState::returning));
  const std::string large(100'000, 'x');

  for (int i = 0; i < 15; ++i) {
    ASSERT_TRUE(service().publish("orders", {.payload = "payload 15 " + large}));
  }
  tick();

  EXPECT_EQ(service().state(), LaneState::spilling);
}

TEST_F(Lane, TakesTheShortcutWhenNoRowEverReachedPostgres) {
  database().set_state(ServerState::down, world().now());
  hold_in_flight(20);
  publish(30);
  run_for(300ms);

  kafka().set_state(ServerState::up, world().now());
  ASSERT_TRUE(gets_to(LaneState::direct));
  ASSERT_TRUE(runs_until([&] { return in_kafka() == 50; }));

  EXPECT_EQ(database().row_count(), 0U);
  expect_nothing_lost_reordered_or_twice();
  EXPECT_EQ(marked_in_kafka(), 0U);
}

TEST_F(Lane, WaitsForPostgresWhenOneRowReachedItBeforeItWentAway) {
  hold_in_flight(20);
  ASSERT_TRUE(runs_until([&] { return rows() == 20; }));
  database().set_state(ServerState::down, world().now());
  publish(30);
  run_for(100ms);

  kafka().set_state(ServerState::up, world().now());
  run_for(500ms);
  EXPECT_EQ(in_kafka(), 20U) << "the held ones alone";
  relay();
  database().set_state(ServerState::up, world().now());
  ASSERT_TRUE(runs_until([&] { return all_is_settled(); }));

  EXPECT_EQ(in_kafka(), 50U);
  expect_nothing_lost_reordered_or_twice();
}

TEST_F(Lane, RecallsAFatalProducerAndMarksWhatMayBeInKafka) {
  sim::FaultPlan plan;
  plan.kafka.fate_before = sim::always;  // everything in flight is appended all the same
  build_world(plan);
  relay();
  start_direct();
  kafka().set_state(ServerState::hung, world().now());
  publish(20);
  tick();

  service().broker().turn_fatal();
  kafka().set_state(ServerState::up, world().now());
  ASSERT_TRUE(runs_until([&] { return all_is_settled(); }));

  EXPECT_EQ(service().counters().recalls.get(), 1U);
  EXPECT_GE(in_kafka(), 20U);
  expect_nothing_lost_reordered_or_twice();
  for (const auto& record : kafka().records("orders")) {
    EXPECT_TRUE(record.resend == core::ResendCause::none ||
                record.resend == core::ResendCause::fatal);
  }
  ASSERT_TRUE(gets_to(LaneState::direct));
}

TEST_F(Lane, RecallsAProducerThatTurnsFatalWhileItHolds) {
  sim::FaultPlan plan;
  plan.kafka.fate_before = sim::always;
  build_world(plan);
  relay();
  hold_in_flight(20);
  publish(10);
  ASSERT_TRUE(runs_until([&] { return rows() == 30; }));

  service().broker().turn_fatal();
  kafka().set_state(ServerState::up, world().now());
  ASSERT_TRUE(runs_until([&] { return all_is_settled(); }));

  EXPECT_EQ(service().counters().recalls.get(), 1U);
  expect_nothing_lost_reordered_or_twice();
  expect_conservation();
}

TEST_F(Lane, SendsARecordThatKafkaRefusesToTheDeadLettersAndGoesOn) {
  build_world({}, {.partitions = 1, .message_bytes_max = 2'000});
  start_direct();
  publish(5);
  ASSERT_TRUE(service().publish("orders", {.key = "k0", .payload = std::string(3'000, 'x')}));

  publish(5);
  ASSERT_TRUE(runs_until([&] { return in_kafka() == 10 && service().in_journal() == 0; }));

  ASSERT_EQ(tables().dead_letters.size(), 1U);
  const auto& letter = tables().dead_letters.begin()->second;
  EXPECT_EQ(letter.row.seq, core::Seq{6});
  EXPECT_NE(letter.error.find("MSG_SIZE_TOO_LARGE"), std::string::npos) << letter.error;
  EXPECT_EQ(service().dead_letters().size(), 1U);
  EXPECT_EQ(service().state(), LaneState::direct);
  EXPECT_EQ(service().counters().dead_lettered.get(), 1U);
}

TEST_F(Lane, SendsRecordsOfATopicThatDoesNotExistToTheDeadLetters) {
  start_direct();
  publish(1);

  ASSERT_TRUE(service().publish("missing", {.payload = "payload 1"}));
  ASSERT_TRUE(runs_until([&] { return tables().dead_letters.size() == 1; }));

  EXPECT_NE(tables().dead_letters.begin()->second.error.find("UNKNOWN_TOPIC_OR_PART"),
            std::string::npos);
  ASSERT_TRUE(runs_until([&] { return in_kafka() == 1; }));
}

TEST_F(Lane, GivesTheInnocentOfARefusedBatchNewSeqsAndSendsThemAlone) {
  build_world({}, {.partitions = 1});
  relay();
  start_direct();
  publish(3);
  ASSERT_TRUE(runs_until([&] { return in_kafka() == 3; }));
  kafka().change_topic("orders", {.partitions = 1, .message_bytes_max = 400});

  publish(50);  // together above the new limit, each below it
  ASSERT_TRUE(runs_until([&] { return all_is_settled() && in_kafka() == 53; }));

  EXPECT_GT(service().counters().renumbered.get(), 0U);
  EXPECT_EQ(tables().dead_letters.size(), 0U);
  std::size_t renumbered = 0;
  for (const auto& record : kafka().records("orders")) {
    renumbered += record.renumbered_from.value != 0 ? 1U : 0U;
  }
  EXPECT_GT(renumbered, 0U);
}

// In company it could be refused again: its third seq would name the second, and nothing the first.
TEST_F(Lane, SendsAloneWhatADeadProcessHadGivenANewSeq) {
  build_world({}, {.partitions = 1});
  relay();
  start_direct();
  database().set_state(ServerState::down, world().now());
  kafka().change_topic("orders", {.partitions = 1, .message_bytes_max = 400});
  publish(20);
  ASSERT_TRUE(runs_until([&] { return service().counters().renumbered.get() == 20; }));

  kill_service();
  start_service();
  run_for(1s);  // Kafka is ready for it, and Postgres is not
  database().set_state(ServerState::up, world().now());
  ASSERT_TRUE(runs_until([&] { return in_kafka() == 20 && all_is_settled(); }));

  std::set<core::Seq> former;
  for (const auto& record : kafka().records("orders")) {
    EXPECT_TRUE(record.relayed) << "seq " << record.seq.value;
    former.insert(record.renumbered_from);
  }
  EXPECT_EQ(former.size(), 20U);
  EXPECT_EQ(*former.begin(), core::Seq{1});
  EXPECT_EQ(*former.rbegin(), core::Seq{20});
  EXPECT_TRUE(gets_to(LaneState::direct));
}

// Its copy goes with the release, so the journal must know by then that it goes on under a new seq.
TEST_F(Lane, LosesNoRecordOfARefusedBatchWhenItDiesBehindTheRelease) {
  build_world({}, {.partitions = 1});
  relay();
  hold_in_flight(20);
  ASSERT_TRUE(runs_until([&] { return held_rows() == 20; }));
  kafka().change_topic("orders", {.partitions = 1, .message_bytes_max = 400});
  kafka().set_state(ServerState::up, world().now());
  const auto is_released = [&] { return tables().held_through == core::Seq{}; };
  while (!is_released()) {
    world().advance(world().now() + 200us);
    if (!is_released()) service().step();
  }

  kill_service();
  start_service();
  ASSERT_TRUE(runs_until([&] { return all_is_settled(); }));

  EXPECT_EQ(in_kafka(), 20U);
}

TEST_F(Lane, LosesNoRecordOfARefusedBatchWhoseCopyIsWrittenAfterTheRefusal) {
  build_world({}, {.partitions = 1});
  relay();
  start_direct();
  kafka().set_state(ServerState::hung, world().now());
  publish(20);
  ASSERT_TRUE(gets_to(LaneState::spilling));
  database().set_state(ServerState::hung, world().now());
  kafka().change_topic("orders", {.partitions = 1, .message_bytes_max = 400});
  kafka().set_state(ServerState::up, world().now());
  ASSERT_TRUE(runs_until([&] { return service().counters().renumbered.get() == 20; }));
  database().set_state(ServerState::up, world().now());
  ASSERT_TRUE(runs_until([&] { return service().counters().held_copies.get() == 20; }));

  kill_service();
  start_service();
  ASSERT_TRUE(runs_until([&] { return all_is_settled(); }));

  std::set<std::string> payloads;
  for (const auto& record : kafka().records("orders")) {
    payloads.insert(test::text_of(*record.payload));
  }
  EXPECT_EQ(payloads.size(), 20U);
}

TEST_F(Lane, SpillsWhenKafkaCannotBeAskedForATopic) {
  kafka().set_state(ServerState::down, world().now());
  service();

  publish(10);
  ASSERT_TRUE(runs_until([&] { return rows() == 10; }));

  EXPECT_EQ(service().state(), LaneState::spilling);
}

TEST_F(Lane, FillsTheJournalWhenNoServerIsThereAndDrainsItInOrderWhenTheyReturn) {
  kafka().set_state(ServerState::down, world().now());
  database().set_state(ServerState::down, world().now());
  world().redis().set_state(ServerState::down, world().now());
  service();
  while (publish(100))
    tick();
  const std::uint64_t accepted = published();
  run_for(100ms);
  EXPECT_FALSE(publish(1));

  relay();
  kafka().set_state(ServerState::up, world().now());
  database().set_state(ServerState::up, world().now());
  world().redis().set_state(ServerState::up, world().now());
  ASSERT_TRUE(runs_until([&] { return all_is_settled(); }));

  EXPECT_EQ(in_kafka(), accepted);
  expect_nothing_lost_reordered_or_twice();
  EXPECT_TRUE(publish(1));
}

TEST_F(Lane, SendsWhatADeadProcessLeftAndMarksWhatMayBeInKafka) {
  sim::FaultPlan plan;
  plan.kafka.fate_before = sim::always;
  build_world(plan);
  start_direct();
  publish(20);
  tick();  // with Kafka's client
  publish(10);

  kill_service();
  relay();
  start_service();
  EXPECT_GT(service().recovered().records, 0U);
  ASSERT_TRUE(runs_until([&] { return all_is_settled(); }));

  expect_nothing_lost_reordered_or_twice();
  publish(10);
  ASSERT_TRUE(runs_until([&] { return all_is_settled(); }));
  expect_nothing_lost_reordered_or_twice();
}

// The second process is turned away by its client's full queue; that takes back no first copy.
TEST_F(Lane, MarksWhatMayBeInKafkaAlsoWhenTwoProcessesDied) {
  database().set_state(ServerState::down, world().now());
  start_direct();
  publish(20);
  ASSERT_TRUE(runs_until([&] { return in_kafka() == 20; }));  // and no report is back
  kill_service();
  settings().broker.queue_records_max = 5;
  start_direct();

  kill_service();
  settings().broker.queue_records_max = 1'000;
  database().set_state(ServerState::up, world().now());
  relay();
  start_service();
  ASSERT_TRUE(runs_until([&] { return all_is_settled(); }));

  EXPECT_GT(in_kafka(), 20U);
  expect_nothing_lost_reordered_or_twice();
}

TEST_F(Lane, MarksWhatAFatalProducerMayHaveSentAlsoWhenItsProcessDied) {
  sim::FaultPlan plan;
  plan.kafka.fate_before = sim::always;
  build_world(plan);
  relay();
  start_direct();
  database().set_state(ServerState::down, world().now());
  publish(20);
  run_for(400us);  // under way
  service().broker().turn_fatal();
  const auto is_recalled = [&] {
    return service().counters().recalls.get() == 1 && service().state() == LaneState::spilling;
  };
  ASSERT_TRUE(runs_until(is_recalled));

  kill_service();
  database().set_state(ServerState::up, world().now());
  start_service();
  ASSERT_TRUE(runs_until([&] { return all_is_settled(); }));

  EXPECT_GT(in_kafka(), 20U);
  expect_nothing_lost_reordered_or_twice();
}

TEST_F(Lane, UsesTheOutboxThroughoutADrill) {
  settings().lane.spill_forced = true;
  relay();
  service();

  publish(200);
  ASSERT_TRUE(runs_until([&] { return all_is_settled(); }));

  EXPECT_EQ(service().counters().spilled.get(), 200U);
  EXPECT_EQ(service().counters().delivered.get(), 0U);
  EXPECT_EQ(service().state(), LaneState::spilling);
  expect_nothing_lost_reordered_or_twice();
}

}  // namespace
}  // namespace spillway::loops
