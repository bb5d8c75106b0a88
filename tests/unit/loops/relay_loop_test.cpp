// tests/unit/loops/relay_loop_test.cpp: from the outbox to Kafka (P3, P8, P14, P15, P17, P18).

#include "loops/relay_loop.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "core/routing.hpp"
#include "unit/loops/on_simulated_servers.hpp"

namespace spillway::loops {
namespace {

using core::ResendCause;
using sim::EventKind;
using sim::ServerState;

class Relay : public OnSimulatedServers {
 protected:
  /// A service whose records all go to the outbox.
  void start_spilling() {
    settings().lane.spill_forced = true;
    service();
    run_for(5ms);
  }
  void spill(std::size_t count) {
    publish(count);
    ASSERT_TRUE(runs_until([&] { return service().in_journal() == 0; }));
  }
  /// A relay with `count` rows in Kafka's hands that hangs.
  void leave_with_kafka(std::size_t count) {
    start_spilling();
    relay();
    spill(10);
    ASSERT_TRUE(outbox_is_empty());
    kafka().set_state(ServerState::hung, world().now());
    spill(count);
    ASSERT_TRUE(runs_until([&] { return relay().broker().outstanding() == count; }));
    run_for(5ms);
  }
  void publish_in_lane(std::uint16_t lane, std::size_t count) {
    std::string key;
    do {
      key += 'k';
    } while (core::lane_of_key(bytes_of(key), settings().lanes).value != lane);
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_TRUE(service().publish("orders", {.key = key, .payload = "p"}));
  }
  void spill_in_lane(std::uint16_t lane, std::size_t count) {
    publish_in_lane(lane, count);
    ASSERT_TRUE(runs_until([&] { return service().in_journal() == 0; }));
  }
  [[nodiscard]] bool outbox_is_empty() {
    return runs_until([&] { return database().row_count() == 0; });
  }
};

TEST_F(Relay, ForwardsRowsInOrderAndRemovesThem) {
  start_spilling();
  relay();

  spill(1'000);
  ASSERT_TRUE(outbox_is_empty());

  EXPECT_EQ(in_kafka(), 1'000U);
  EXPECT_EQ(marked_in_kafka(), 0U);
  EXPECT_EQ(relay().counters().relayed.get(), 1'000U);
  for (const auto& record : kafka().records("orders"))
    EXPECT_TRUE(record.relayed);
  expect_nothing_lost_reordered_or_twice();
}

TEST_F(Relay, ReadsEveryStreamThoughNewsComesFasterThanItReads) {
  sim::FaultPlan plan;
  plan.postgres.statement_latency = {1ms, 1ms};
  build_world(plan);
  settings().lanes = 2;
  start_spilling();
  relay();
  publish_in_lane(0, 100);
  publish_in_lane(1, 100);

  EXPECT_TRUE(runs_until([&] {
    relay().loop().on_news();
    return all_is_settled();
  }));
}

TEST_F(Relay, FindsAnotherStreamBehindALongBacklog) {
  relay_loop_.batch_rows_max = 1;
  sim::FaultPlan plan;
  plan.redis.token_lost = sim::always;
  build_world(plan);
  settings().lanes = 2;
  start_spilling();
  spill_in_lane(0, 5'000);
  relay();
  ASSERT_TRUE(runs_until([&] { return in_kafka() != 0; }));

  spill_in_lane(1, 1);
  run_for(500ms);

  ASSERT_NE(tables(0).outbox.size(), 0U) << "else this test has shown nothing";
  EXPECT_EQ(service().counters(1).spilled.get(), 1U);
  EXPECT_EQ(tables(1).outbox.size(), 0U);
}

TEST_F(Relay, ReadsAStreamThatItHasBeforeItLooksForOthers) {
  start_spilling();
  relay();
  spill(10);
  ASSERT_TRUE(outbox_is_empty());
  const auto scans = [&] { return relay().counters().scans.get(); };
  const std::uint64_t before = scans();
  ASSERT_TRUE(runs_until([&] { return scans() != before; }));
  run_for(50ms);  // a token makes the next look due at once

  const std::uint64_t looks = scans();
  publish(1);
  ASSERT_TRUE(runs_until([&] { return relay().broker().outstanding() == 1; }));

  EXPECT_EQ(scans(), looks);
}

TEST_F(Relay, IsWokenByATokenLongBeforeItWouldLookByItself) {
  relay_loop_.poll_start = 5s;
  start_spilling();
  relay();
  run_for(12s);  // idle, at the top of its ladder

  spill(1);
  const core::Instant committed = world().now();
  ASSERT_TRUE(outbox_is_empty());

  EXPECT_LT(world().now() - committed, 20ms);
}

TEST_F(Relay, FindsRowsByLookingWhenEveryTokenIsLost) {
  sim::FaultPlan plan;
  plan.redis.token_lost = sim::always;
  build_world(plan);
  start_spilling();
  relay();
  run_for(12s);

  spill(1);
  const core::Instant committed = world().now();
  ASSERT_TRUE(outbox_is_empty());

  EXPECT_LE(world().now() - committed, 5s + 20ms);
}

TEST_F(Relay, LooksLessAndLessOftenWhileTheOutboxIsEmpty) {
  sim::FaultPlan plan;
  plan.redis.token_lost = sim::always;
  build_world(plan);
  relay();
  std::vector<core::Duration> pauses;
  std::uint64_t scans = relay().counters().scans.get();
  core::Instant last = world().now();
  ASSERT_TRUE(runs_until([&] {
    if (relay().counters().scans.get() == scans) return false;
    scans = relay().counters().scans.get();
    pauses.push_back(world().now() - last);
    last = world().now();
    return pauses.size() == 6;
  }));

  const auto is_about = [](core::Duration pause, core::Duration rung) {
    return pause >= rung && pause < rung + 10ms;
  };
  EXPECT_TRUE(is_about(pauses[pauses.size() - 3], 1s) || is_about(pauses[pauses.size() - 3], 5s));
  EXPECT_TRUE(is_about(pauses.back(), 5s)) << pauses.back().count();
}

TEST_F(Relay, RemovesNothingBeforeKafkaHasIt) {
  start_spilling();
  spill(50);
  kafka().set_state(ServerState::hung, world().now());
  relay();

  run_for(500ms);

  EXPECT_EQ(rows(), 50U);
  EXPECT_EQ(tables().relayed_through, core::Seq{});
}

TEST_F(Relay, NeverRemovesBeyondWhatIsAppendedWithoutAHole) {
  sim::FaultPlan plan;
  plan.kafka.reports_shuffled = {500'000};
  build_world(plan, {.partitions = 4});
  relay_loop_.batch_rows_max = 20;
  start_spilling();
  relay();
  for (int i = 0; i < 30; ++i) {
    publish(20);
    run_for(1ms);
  }
  ASSERT_TRUE(outbox_is_empty());

  std::vector<bool> appended(1'000);
  std::uint64_t removed = 0;
  for (const sim::Event& event : world().trace().events()) {
    if (event.kind == EventKind::appended) appended.at(event.first.value) = true;
    if (event.kind != EventKind::removed) continue;
    EXPECT_EQ(event.first.value, removed);
    for (std::uint64_t seq = event.first.value + 1; seq <= event.last.value; ++seq) {
      EXPECT_TRUE(appended.at(seq)) << "seq " << seq << " was removed before it was appended";
    }
    removed = event.last.value;
  }
  EXPECT_EQ(removed, 600U);
}

TEST_F(Relay, TouchesNoStreamThatIsHeldByALivingOwner) {
  start_direct();
  relay();
  kafka().set_state(ServerState::hung, world().now());
  publish(10);
  ASSERT_TRUE(runs_until([&] { return held_rows() == 10; }));
  publish(10);
  ASSERT_TRUE(runs_until([&] { return rows() == 20; }));

  run_for(30s);

  for (const sim::Event& event : world().trace().events()) {
    EXPECT_NE(event.kind, EventKind::rows_read);
  }
}

TEST_F(Relay, AdoptsTheHeldRowsOfADeadOwnerAfterTheGraceAndMarksThem) {
  start_direct();
  relay();
  kafka().set_state(ServerState::hung, world().now());
  publish(10);
  ASSERT_TRUE(runs_until([&] { return held_rows() == 10; }));
  kill_service();
  kafka().set_state(ServerState::up, world().now());

  run_for(9s);
  EXPECT_EQ(database().row_count(), 10U) << "the owner may come back";
  ASSERT_TRUE(outbox_is_empty());

  EXPECT_EQ(relay().counters().adoptions.get(), 1U);
  EXPECT_EQ(marked_in_kafka(), 10U);
  expect_nothing_lost_reordered_or_twice();
}

TEST_F(Relay, TakesTheStreamOverFromADeadOneAndMarksWhatThatMayHaveSent) {
  leave_with_kafka(100);
  kill_relay();
  kafka().set_state(ServerState::up, world().now());

  relay();
  ASSERT_TRUE(outbox_is_empty());

  expect_nothing_lost_reordered_or_twice();
  EXPECT_GT(marked_in_kafka(), 0U);
  for (const auto& record : kafka().records("orders")) {
    EXPECT_TRUE(record.resend == ResendCause::none || record.resend == ResendCause::lease);
  }
}

// Its old session lingers on the server with the lease, so the first look after the reconnect does
// not find the stream; what is with its producer meanwhile must not be sent again without a mark.
TEST_F(Relay, DoesNotForgetWhatItSentWhenItsSessionIsLostForAWhile) {
  leave_with_kafka(100);

  relay().store().cut(1s);
  run_for(500ms);
  kafka().set_state(ServerState::up, world().now());
  ASSERT_TRUE(outbox_is_empty());

  expect_nothing_lost_reordered_or_twice();
}

TEST_F(Relay, CountsARowOnceThoughPostgresForgetsThatItWasRemoved) {
  sim::FaultPlan plan;
  plan.postgres.async_forgotten = sim::always;
  plan.postgres.async_window = 10s;
  build_world(plan);
  start_spilling();
  relay();
  const auto is_forgotten = [this] {
    return world().trace().counted(sim::Happening::deletes_forgotten) != 0;
  };
  for (int i = 0; i < 20 && !is_forgotten(); ++i) {
    spill(3);
    ASSERT_TRUE(outbox_is_empty());
    database().set_state(ServerState::down, world().now());
    run_for(10ms);
    database().set_state(ServerState::up, world().now());
  }
  ASSERT_TRUE(is_forgotten());
  run_for(1s);
  ASSERT_TRUE(outbox_is_empty());

  EXPECT_EQ(relay().counters().relayed.get(), published());
  EXPECT_GT(marked_in_kafka(), 0U);
}

TEST_F(Relay, BuriesARowThatKafkaRefusesAndSendsTheOthers) {
  build_world({}, {.partitions = 1});
  start_spilling();
  publish(5);
  ASSERT_TRUE(service().publish("orders", {.key = "k", .payload = std::string(3'000, 'x')}));
  publish(5);
  ASSERT_TRUE(runs_until([&] { return service().in_journal() == 0; }));
  kafka().change_topic("orders", {.partitions = 1, .message_bytes_max = 2'000});

  relay();
  ASSERT_TRUE(outbox_is_empty());

  EXPECT_EQ(in_kafka(), 10U);
  ASSERT_EQ(tables().dead_letters.size(), 1U);
  EXPECT_EQ(tables().dead_letters.begin()->first, core::Seq{6});
  EXPECT_EQ(relay().counters().dead_lettered.get(), 1U);
}

TEST_F(Relay, SendsTheRowsOfARefusedBatchAloneAndBuriesOnlyTheGuilty) {
  build_world({}, {.partitions = 1});
  start_spilling();
  spill(30);
  relay();
  ASSERT_TRUE(outbox_is_empty());  // the topic's limit is known now
  kafka().change_topic("orders", {.partitions = 1, .message_bytes_max = 400});
  ASSERT_TRUE(service().publish("orders", {.key = "k", .payload = std::string(500, 'x')}));

  spill(30);
  ASSERT_TRUE(outbox_is_empty());

  EXPECT_EQ(in_kafka(), 60U);
  EXPECT_EQ(tables().dead_letters.size(), 1U);
}

// Under their positions a consumer's filter would drop them, and a relay has no others to give.
TEST_F(Relay, BuriesTheInnocentOfARefusedBatchWhenLaterRowsAreInThePartition) {
  settings().broker.batch_records_max = 10;
  build_world({}, {.partitions = 1});
  start_spilling();
  spill(10);
  relay();
  ASSERT_TRUE(outbox_is_empty());  // the topic's limit is known now
  kafka().change_topic("orders", {.partitions = 1, .message_bytes_max = 4'000});
  ASSERT_TRUE(service().publish("orders", {.key = "k", .payload = std::string(5'000, 'x')}));

  spill(100);
  ASSERT_TRUE(outbox_is_empty());

  EXPECT_GT(tables().dead_letters.size(), 1U);
  EXPECT_LE(tables().dead_letters.size(), 10U) << "one batch";
  EXPECT_EQ(in_kafka() + tables().dead_letters.size(), 111U);
  expect_first_occurrences_ascend();
}

// Nobody knows whether they are in the partition: the one that a filter might drop is not sent.
TEST_F(Relay, BuriesTheInnocentOfARefusedBatchWhenLaterRowsWentDownWithTheProducer) {
  sim::FaultPlan plan;
  plan.kafka.fate_before = sim::always;
  settings().broker.batch_records_max = 10;
  build_world(plan, {.partitions = 1});
  leave_with_kafka(100);
  kafka().change_topic("orders", {.partitions = 1, .message_bytes_max = 1'200});
  kafka().set_state(ServerState::up, world().now());
  const auto counted = [&](EventKind kind) {
    return static_cast<std::size_t>(
        std::ranges::count(world().trace().events(), kind, &sim::Event::kind));
  };
  const std::size_t rows = counted(EventKind::appended) + 100;
  ASSERT_TRUE(runs_until([&] {
    const std::size_t refused = counted(EventKind::refused);
    const std::size_t heard = rows - relay().broker().outstanding();
    return refused != 0 && heard == refused + counted(EventKind::appended);
  }));

  relay().broker().turn_fatal();  // the next batch is on its way
  ASSERT_TRUE(outbox_is_empty());

  EXPECT_GT(tables().dead_letters.size(), 0U);
  expect_first_occurrences_ascend();
  EXPECT_EQ(relay().counters().fatal_errors.get(), 1U);
}

// Full batches take a broker that has just come back a quarter of a second: each ack lets one more
// go.
TEST_F(Relay, BeginsWithFewRowsAndSendsMoreWithEachAck) {
  start_spilling();
  relay();
  spill(10);
  ASSERT_TRUE(outbox_is_empty());
  kafka().set_state(ServerState::hung, world().now());

  spill(1'000);
  run_for(400ms);

  EXPECT_EQ(relay().broker().outstanding(), 256U + 10U);
  kafka().set_state(ServerState::up, world().now());
  ASSERT_TRUE(outbox_is_empty());
}

TEST_F(Relay, GivesItsLeasesBackWhenItIsWoundDown) {
  start_spilling();
  relay();
  spill(100);
  relay().loop().wind_down();

  ASSERT_TRUE(runs_until([&] { return relay().loop().is_wound_down(); }));

  const core::StreamId stream{service().journal().instance(), {0}};
  EXPECT_FALSE(database().holder(sim::lease_lock(stream)));
}

// A stream whose lease is in doubt is neither finished nor given up before a look around.
TEST_F(Relay, IsWoundDownThoughItsSessionWasLostAMomentBefore) {
  leave_with_kafka(100);

  relay().store().cut(1s);
  run_for(1ms);
  relay().loop().wind_down();
  ASSERT_TRUE(runs_until([&] { return relay().loop().is_wound_down(); }));

  kill_relay();
  kafka().set_state(ServerState::up, world().now());
  relay();
  ASSERT_TRUE(outbox_is_empty());
  expect_nothing_lost_reordered_or_twice();
}

TEST_F(Relay, ReplacesAFatalProducerAndMarksWhatMayBeInKafka) {
  sim::FaultPlan plan;
  plan.kafka.fate_before = sim::always;
  build_world(plan);
  leave_with_kafka(100);

  relay().broker().turn_fatal();
  kafka().set_state(ServerState::up, world().now());
  ASSERT_TRUE(outbox_is_empty());

  EXPECT_EQ(relay().counters().fatal_errors.get(), 1U);
  expect_nothing_lost_reordered_or_twice();
}

}  // namespace
}  // namespace spillway::loops
