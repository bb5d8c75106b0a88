// tests/unit/loops/writer_loop_test.cpp: jobs to transactions, each exactly once (P4, P7, P14).

#include "loops/writer_loop.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "unit/loops/on_simulated_servers.hpp"

namespace spillway::loops {
namespace {

using sim::EventKind;
using sim::ServerState;

class Writer : public OnSimulatedServers {
 protected:
  /// Every record is for the outbox.
  void start_spilling() {
    settings().lane.spill_forced = true;
    service();
    run_for(5ms);
  }
  [[nodiscard]] bool all_is_written() {
    return runs_until([&] { return service().in_journal() == 0; });
  }
};

TEST_F(Writer, WritesTheRowsOfALaneInSeqOrderAndWhole) {
  start_spilling();
  ASSERT_TRUE(service().publish(
      "orders", {.key = std::nullopt, .payload = "p", .headers = {}, .event_time_ms = 1'234}));
  ASSERT_TRUE(service().publish("orders", {.key = "", .payload = std::nullopt}));

  ASSERT_TRUE(all_is_written());

  ASSERT_EQ(rows(), 2U);
  const sim::StoredRow& first = tables().outbox.at({1});
  EXPECT_EQ(first.topic, "orders");
  EXPECT_FALSE(first.key);
  EXPECT_EQ(test::text_of(*first.payload), "p");
  EXPECT_EQ(first.event_time_ms, 1'234);
  EXPECT_FALSE(first.held);
  const sim::StoredRow& second = tables().outbox.at({2});
  EXPECT_TRUE(second.key && second.key->empty());
  EXPECT_FALSE(second.payload);
}

TEST_F(Writer, PushesNoTokenBeforeTheCommit) {
  start_spilling();
  for (int i = 0; i < 20; ++i) {
    publish(3);
    run_for(1ms);
  }
  ASSERT_TRUE(all_is_written());
  run_for(5ms);

  std::size_t commits = 0;
  std::size_t pushes = 0;
  for (const sim::Event& event : world().trace().events()) {
    if (event.kind == EventKind::committed) ++commits;
    if (event.kind == EventKind::pushed) pushes += event.last.value;
    EXPECT_LE(pushes, commits);
  }
  EXPECT_GT(commits, 0U);
  EXPECT_EQ(pushes, commits);
}

TEST_F(Writer, GathersRowsThatComeOneByOne) {
  start_spilling();
  for (int i = 0; i < 100; ++i) {
    publish(1);
    tick(200us);
  }
  ASSERT_TRUE(all_is_written());

  const auto commits =
      std::ranges::count(world().trace().events(), EventKind::committed, &sim::Event::kind);
  EXPECT_GE(commits, 5) << "none waits for long";
  EXPECT_LE(commits, 12) << "20 ms, one each 2 ms";
}

TEST_F(Writer, DoesNotNeedRedis) {
  world().redis().set_state(ServerState::down, world().now());
  start_spilling();

  publish(100);

  EXPECT_TRUE(all_is_written());
  EXPECT_EQ(rows(), 100U);
}

TEST_F(Writer, BoundsABatchInRowsAndBytes) {
  settings().writer.batch_rows_max = 10;
  start_spilling();
  publish(95);
  ASSERT_TRUE(all_is_written());

  std::uint64_t largest = 0;
  for (const sim::Event& event : world().trace().events()) {
    if (event.kind != EventKind::committed) continue;
    largest = std::max(largest, event.last.value - event.first.value + 1);
  }
  EXPECT_EQ(largest, 10U);
}

TEST_F(Writer, WritesARecordThatIsLargerThanABatchAlone) {
  settings().writer.batch_bytes_max = 1'000;
  start_spilling();
  publish(1);
  ASSERT_TRUE(service().publish("orders", {.payload = std::string(50'000, 'x')}));

  EXPECT_TRUE(all_is_written());
  EXPECT_EQ(rows(), 2U);
}

TEST_F(Writer, GoesOnWhenAnErrorOfPostgresHasPassed) {
  start_spilling();
  database().fail_statements("disk full");
  publish(50);
  run_for(500ms);
  EXPECT_EQ(rows(), 0U);
  EXPECT_EQ(service().in_journal(), 50U);

  database().fail_statements(nullptr);

  EXPECT_TRUE(all_is_written());
  EXPECT_EQ(rows(), 50U);
}

struct Accident {
  const char* name;
  void (*happens)(sim::PostgresFaults&);
};

const std::vector<Accident> accidents{
    {"LostBeforeItsCommit",
     [](sim::PostgresFaults& faults) { faults.lost_before_commit = {300'000}; }},
    {"LostAfterItsCommit",
     [](sim::PostgresFaults& faults) { faults.lost_after_commit = {300'000}; }},
    {"LeftInLimbo", [](sim::PostgresFaults& faults) { faults.limbo = {300'000}; }},
    {"RefusedForNow", [](sim::PostgresFaults& faults) { faults.passing_error = {300'000}; }},
    {"RefusedForGood", [](sim::PostgresFaults& faults) { faults.permanent_error = {300'000}; }},
    {"AllOfThem",
     [](sim::PostgresFaults& faults) {
       faults.lost_before_commit = faults.lost_after_commit = faults.limbo =
           faults.passing_error = {100'000};
     }},
};
class WriterAccident : public Writer, public ::testing::WithParamInterface<Accident> {};

// Each transaction may be hit; the relay is not there, so a row twice would be a duplicate key, and
// one that is missing a hole.
TEST_P(WriterAccident, WritesEveryRowOnceAndNoneTwice) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    sim::FaultPlan plan;
    plan.seed = seed;
    GetParam().happens(plan.postgres);
    sim::World world{plan};
    world.kafka().create_topic("orders");
    test::TemporaryDirectory directory;
    sim::ServiceSettings settings;
    settings.journal_path = directory.file("journal");
    settings.lane.spill_forced = true;
    settings.writer.batch_rows_max = 7;
    sim::SimService service{world, settings};

    std::size_t sent = 0;
    for (int i = 0; i < 400'000 && (sent < 100 || service.in_journal() != 0); ++i) {
      if (sent < 100 && i % 20 == 0) {
        ASSERT_TRUE(service.publish("orders", {.payload = std::to_string(sent++)}));
      }
      world.advance(world.now() + 200us);
      service.step();
    }

    EXPECT_EQ(service.in_journal(), 0U);
    EXPECT_EQ(world.database().row_count(), 100U);
    EXPECT_EQ(world.database().duplicate_keys(), 0U);
    EXPECT_EQ(service.counters().spilled.get(), 100U);
  }
}
INSTANTIATE_TEST_SUITE_P(Writer, WriterAccident, ::testing::ValuesIn(accidents),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST_F(Writer, DoesNotWriteAgainWhatTheRelayHasRemovedAfterALostCommit) {
  sim::FaultPlan plan;
  plan.postgres.lost_after_commit = {300'000};
  build_world(plan);
  relay();
  start_spilling();

  publish(300);
  ASSERT_TRUE(runs_until([&] { return all_is_settled(); }, 300s));

  EXPECT_EQ(in_kafka(), 300U + marked_in_kafka());
  expect_nothing_lost_reordered_or_twice();
}

TEST_F(Writer, ReleasesWhatAFormerProcessHeldAndMarksIt) {
  start_direct();
  kafka().set_state(ServerState::hung, world().now());
  publish(10);
  ASSERT_TRUE(runs_until([&] { return held_rows() == 10; }));

  kill_service();
  start_service();
  ASSERT_TRUE(runs_until([&] { return held_rows() == 0; }));

  EXPECT_EQ(rows(), 10U);
  for (const auto& [seq, row] : tables().outbox) {
    EXPECT_EQ(row.resend, core::ResendCause::recovery);
  }
}

}  // namespace
}  // namespace spillway::loops
