// tests/unit/loops/spill_pace_test.cpp: an overloaded lane lets the relay get ahead (P15).
//
// No thread, no sleep: time is a number.

#include "loops/spill_pace.hpp"

#include <chrono>
#include <limits>

#include <gtest/gtest.h>

namespace spillway::loops {
namespace {

using namespace std::chrono_literals;
using core::Instant;
using core::Seq;

constexpr Instant start{1h};
constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

TEST(SpillPace, IsHalfOfTheRelays) {
  SpillPace pace;
  EXPECT_EQ(pace.room(Seq{100}, start), 0U);
  EXPECT_EQ(pace.room(Seq{150}, start + 1ms), 25U);

  pace.note_sent(20);

  EXPECT_EQ(pace.room(Seq{150}, start + 2ms), 5U);
  EXPECT_EQ(pace.room(Seq{160}, start + 3ms), 10U);
}

TEST(SpillPace, EmptiesAnOutboxThatGrewAsLongAsNothingHeldTheLaneBack) {
  SpillPace pace;
  std::size_t rows = 100'000;
  Seq relayed{1};
  Instant now = start;
  for (int turns = 0; turns < 100'000 && rows != 0; ++turns) {
    const std::size_t sent = pace.room(relayed, now);
    pace.note_sent(sent);
    rows += sent;
    const std::size_t forwarded = rows < 10 ? rows : 10;
    rows -= forwarded;
    relayed = Seq{relayed.value + forwarded};
    now += 1ms;
  }
  EXPECT_EQ(rows, 0U);
}

TEST(SpillPace, WaitsForNoRelayThatStandsStill) {
  SpillPace pace;
  EXPECT_EQ(pace.room(Seq{100}, start), 0U);

  EXPECT_EQ(pace.room(Seq{100}, start + SpillPace::stalled_after - 1ns), 0U);
  EXPECT_EQ(pace.room(Seq{100}, start + SpillPace::stalled_after), all);
  pace.note_sent(10'000);
  EXPECT_EQ(pace.room(Seq{104}, start + SpillPace::stalled_after + 1ms), 2U);
}

TEST(SpillPace, BeginsAnewWhenItWasLifted) {
  SpillPace pace;
  EXPECT_EQ(pace.room(Seq{100}, start), 0U);
  EXPECT_EQ(pace.room(Seq{200}, start), 50U);

  pace.lift();

  EXPECT_EQ(pace.room(Seq{900}, start + 1h), 0U);
}

}  // namespace
}  // namespace spillway::loops
