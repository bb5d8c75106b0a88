// tests/unit/core/lane_states_test.cpp: when a lane leaves Kafka, and when it may return (P15).
//
// No server, no thread, no sleep: a fact is a field and time is a number.

#include "core/lane_states.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace spillway::core {
namespace {

using namespace std::chrono_literals;
using enum LaneState;

constexpr Instant start{1h};
constexpr LaneLimits limits{.failover_after = 75ms,
                            .failover_after_relaxed = 300ms,
                            .backlog_rows_max = 100,
                            .high_water_percent = 80,
                            .return_within = 1s};

TEST(LaneStates, TripsWhenTheOldestRecordIsDueAndNotBefore) {
  const LaneFacts seen{.oldest_unreported_at = start};

  EXPECT_EQ(next_state(direct, seen, limits, start + 75ms - 1ns), direct);
  EXPECT_EQ(next_state(direct, seen, limits, start + 75ms), spilling);
}

TEST(LaneStates, IsMorePatientForAWhileAfterAReturn) {
  const LaneFacts seen{.oldest_unreported_at = start, .relaxed_until = start + 200ms};

  EXPECT_EQ(next_state(direct, seen, limits, start + 75ms), direct);
  EXPECT_EQ(next_state(direct, seen, limits, start + 200ms - 1ns), direct);
  EXPECT_EQ(next_state(direct, seen, limits, start + 200ms), spilling);
}

TEST(LaneStates, TripsInTheRelaxedTimeTooWhenTheLongerLimitIsReached) {
  const LaneFacts seen{.oldest_unreported_at = start, .relaxed_until = start + 1s};

  EXPECT_EQ(next_state(direct, seen, limits, start + 300ms - 1ns), direct);
  EXPECT_EQ(next_state(direct, seen, limits, start + 300ms), spilling);
}

TEST(LaneStates, GivesUpWaitingForTheRelayWhenItsTimeIsOver) {
  const LaneFacts seen{.producer_warm = true, .returning_since = start};

  EXPECT_EQ(next_state(returning, seen, limits, start + 1s - 1ns), returning);
  EXPECT_EQ(next_state(returning, seen, limits, start + 1s), spilling);
}

TEST(LaneStates, IsOverloadedWhenNothingButAFullJournalKeepsItFromReturning) {
  const LaneFacts seen{.producer_warm = true, .journal_percent = 80};
  const auto is_still = [&](auto change) {
    LaneFacts other = seen;
    change(other);
    return is_overloaded(other, limits, start);
  };
  EXPECT_TRUE(is_overloaded(seen, limits, start));

  EXPECT_FALSE(is_still([](LaneFacts& other) { other.journal_percent = 79; }));
  EXPECT_FALSE(is_still([](LaneFacts& other) { other.producer_warm = false; }));
  EXPECT_FALSE(is_still([](LaneFacts& other) { other.broker_gone = true; }));
  EXPECT_FALSE(is_still([](LaneFacts& other) { other.spill_forced = true; }));
  EXPECT_FALSE(is_still([](LaneFacts& other) { other.held = 1; }));
  EXPECT_FALSE(is_still([](LaneFacts& other) { other.outbox_untouched = true; }));
  EXPECT_FALSE(is_still([](LaneFacts& other) { other.spill_until = start + 1ns; }));
}

struct Row {
  const char* name;
  LaneState from;
  LaneFacts seen;
  LaneState to;
};

const std::array rows{
    Row{"StaysDirectWhenNothingIsOwed", direct, {}, direct},
    Row{"SpillsAtOnceOnEvidence", direct, {.broker_gone = true}, spilling},
    Row{"SpillsWhenABatchIsRefused", direct, {.batch_refused = true}, spilling},
    Row{"SpillsWhenItsTopicCannotBeAskedFor", direct, {.topic_unknown = true}, spilling},
    Row{"SpillsInADrill", direct, {.spill_forced = true}, spilling},
    Row{"RecallsAFatalProducer", direct, {.producer_fatal = true}, recalling},
    Row{"RecallsRatherThanSpills",
        direct,
        {.producer_fatal = true, .broker_gone = true},
        recalling},
    Row{"WaitsForTheLastReport", recalling, {.producer_fatal = true, .reports_owed = 1}, recalling},
    Row{"SpillsAfterTheLastReport", recalling, {.producer_fatal = true}, spilling},
    Row{"RecallsWhileSpilling", spilling, {.producer_fatal = true, .held = 3}, recalling},
    Row{"StaysWhileOneIsHeld", spilling, {.held = 1, .producer_warm = true}, spilling},
    Row{"StaysWhileTheProducerIsCold", spilling, {.outbox_untouched = true}, spilling},
    Row{"StaysWhileTheBrokerIsGone",
        spilling,
        {.broker_gone = true, .producer_warm = true, .outbox_untouched = true},
        spilling},
    Row{"StaysInADrill",
        spilling,
        {.spill_forced = true, .producer_warm = true, .outbox_untouched = true},
        spilling},
    Row{"TakesTheShortcut", spilling, {.producer_warm = true, .outbox_untouched = true}, direct},
    Row{"ReturnsAtTheLimit", spilling, {.producer_warm = true, .backlog_rows = 100}, returning},
    Row{"SpillsOnAboveIt", spilling, {.producer_warm = true, .backlog_rows = 101}, spilling},
    Row{"ReturnsAtHalfOfItAfterAWaitInVain",
        spilling,
        {.producer_warm = true, .backlog_rows = 50, .returns_given_up = 1},
        returning},
    Row{"SpillsOnAboveHalfOfItThen",
        spilling,
        {.producer_warm = true, .backlog_rows = 51, .returns_given_up = 1},
        spilling},
    Row{"SpillsOnWhileKafkaHasToProveItself",
        spilling,
        {.spill_until = start + 1ns, .producer_warm = true, .outbox_untouched = true},
        spilling},
    Row{"ReturnsWhenItHas",
        spilling,
        {.spill_until = start, .producer_warm = true, .outbox_untouched = true},
        direct},
    Row{"SpillsOnAtHighWater", spilling, {.producer_warm = true, .journal_percent = 80}, spilling},
    Row{"ReturnsAtHighWaterWhenDrained",
        spilling,
        {.producer_warm = true, .outbox_drained = true, .journal_percent = 99},
        returning},
    Row{"StaysReturningUntilDrained", returning, {.producer_warm = true}, returning},
    Row{"IsDirectWhenDrained", returning, {.outbox_drained = true}, direct},
    Row{"GivesUpWaitingAtHighWater", returning, {.journal_percent = 80}, spilling},
    Row{"WaitsBelowHighWater", returning, {.journal_percent = 79}, returning},
    Row{"IsDirectAtHighWaterWhenDrained",
        returning,
        {.outbox_drained = true, .journal_percent = 99},
        direct},
    Row{"SpillsAgainWhenItsProducerTurnsFatal",
        returning,
        {.producer_fatal = true, .outbox_drained = true},
        spilling},
};
class LaneTable : public testing::TestWithParam<Row> {};

TEST_P(LaneTable, Holds) {
  EXPECT_EQ(next_state(GetParam().from, GetParam().seen, limits, start), GetParam().to);
}
INSTANTIATE_TEST_SUITE_P(LaneStates, LaneTable, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string{row.param.name}; });

/// All combinations of the facts that are yes or no, or one of two numbers.
template <class Judge>
void for_all_facts(const Judge& judge) {
  constexpr unsigned fact_count = 12;
  for (unsigned bits = 0; bits < (1U << fact_count); ++bits) {
    const auto bit = [bits](unsigned i) { return ((bits >> i) & 1U) != 0; };
    const LaneFacts seen{
        .producer_fatal = bit(0),
        .broker_gone = bit(1),
        .batch_refused = bit(2),
        .topic_unknown = bit(3),
        .spill_forced = bit(4),
        .oldest_unreported_at = bit(5) ? std::optional{start - 1h} : std::nullopt,
        .reports_owed = bit(6) ? 1U : 0U,
        .held = bit(7) ? 1U : 0U,
        .producer_warm = bit(8),
        .outbox_untouched = bit(9),
        .outbox_drained = bit(10),
        .backlog_rows = bit(11) ? 101U : 100U,
    };
    for (const LaneState from : {direct, spilling, returning, recalling}) {
      judge(from, seen, next_state(from, seen, limits, start), bits);
    }
  }
}

// All of them rather than a sample: a seed is for spaces too large to walk.
TEST(LaneStates, NothingOvertakesAHeldRecordOrARowInTheOutbox) {
  for_all_facts([](LaneState from, const LaneFacts& seen, LaneState to, unsigned bits) {
    if (from == direct || to != direct) return;
    EXPECT_TRUE(seen.outbox_untouched || seen.outbox_drained) << "bits " << bits;
    EXPECT_TRUE(from == returning || seen.held == 0) << "bits " << bits;
    EXPECT_FALSE(seen.producer_fatal || seen.spill_forced) << "bits " << bits;
  });
}

TEST(LaneStates, MovesOnlyAlongTheArrowsOfThePicture) {
  constexpr std::array<std::array<LaneState, 2>, 8> arrows{{{direct, spilling},
                                                            {direct, recalling},
                                                            {spilling, direct},
                                                            {spilling, returning},
                                                            {spilling, recalling},
                                                            {returning, direct},
                                                            {returning, spilling},
                                                            {recalling, spilling}}};
  for_all_facts([&](LaneState from, const LaneFacts&, LaneState to, unsigned bits) {
    const bool is_arrow = std::ranges::find(arrows, std::array{from, to}) != arrows.end();
    EXPECT_TRUE(from == to || is_arrow) << "bits " << bits;
  });
}

TEST(LaneStates, SendsNothingBeforeEveryReportOfARecallIsIn) {
  for_all_facts([](LaneState from, const LaneFacts& seen, LaneState to, unsigned bits) {
    if (from == recalling && seen.reports_owed != 0) {
      EXPECT_EQ(to, recalling) << "bits " << bits;
    }
  });
}

TEST(LaneStates, ReturnsOnlyWithAProducerThatCanSendAndNothingHeld) {
  for_all_facts([](LaneState from, const LaneFacts& seen, LaneState to, unsigned bits) {
    if (from != spilling || to == spilling || to == recalling) return;
    EXPECT_TRUE(seen.producer_warm && seen.held == 0) << "bits " << bits;
  });
}

}  // namespace
}  // namespace spillway::core
