// tests/unit/loops/ack_clock_test.cpp: how much a lane gives Kafka ahead of the acks (P19).
//
// No thread, no sleep: time is a number.

#include "loops/ack_clock.hpp"

#include <chrono>
#include <optional>

#include <gtest/gtest.h>

namespace spillway::loops {
namespace {

using namespace std::chrono_literals;
using core::Instant;

constexpr core::Duration span = 25ms;
constexpr Instant start{1h};
constexpr std::optional<Instant> none;

TEST(AckClock, BeginsWithAFew) {
  EXPECT_EQ(AckClock{span}.limit(none, start), AckClock::first);
}

TEST(AckClock, DoublesWithEachRoundTripOfAQuickBroker) {
  AckClock acks{span};
  std::size_t before = acks.limit(none, start);

  for (Instant now = start + 1ms; now < start + 6ms; now += 1ms) {
    acks.note(before, now);
    EXPECT_EQ(acks.limit(none, now), 2 * before);
    before = 2 * before;
  }
}

TEST(AckClock, HoldsNoMoreThanASlowBrokerTakesInTheMeantime) {
  AckClock acks{span};
  constexpr std::size_t acked_in_1ms = 10;

  for (Instant now = start; now < start + 1s; now += 1ms)
    acks.note(acked_in_1ms, now);

  EXPECT_LE(acks.limit(none, start + 1s), AckClock::first + 2 * 25 * acked_in_1ms);
  EXPECT_GE(acks.limit(none, start + 1s), AckClock::first + 25 * acked_in_1ms);
}

TEST(AckClock, ForgetsWhatWasAckedLongAgo) {
  AckClock acks{span};
  acks.note(10'000, start);
  EXPECT_GT(acks.limit(none, start + span), AckClock::first) << "not that long";

  EXPECT_EQ(acks.limit(none, start + 3 * span), AckClock::first);
}

TEST(AckClock, AddsNothingBehindARecordThatWaits) {
  AckClock acks{span};
  acks.note(10'000, start);

  EXPECT_GT(acks.limit(start, start + span), 0U);
  EXPECT_EQ(acks.limit(start, start + span + 1ns), 0U);
}

}  // namespace
}  // namespace spillway::loops
