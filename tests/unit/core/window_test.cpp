// tests/unit/core/window_test.cpp: what is with Kafka's client, from submit to report (P8, P11).

#include "core/window.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace spillway::core {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{1h};

InFlight record(std::uint64_t seq, std::uint32_t bytes = 100) {
  return {.record = {seq * 1'000},
          .seq = {seq},
          .stamp = {seq * 10},
          .submitted_at = start + seq * 1ms,
          .bytes = bytes,
          .outcome = {}};
}

std::uint64_t submit(Window& window, std::uint64_t seq, std::uint32_t bytes = 100) {
  const std::uint64_t tag = window.next_tag();
  window.add(record(seq, bytes));
  return tag;
}

void deliver(Window& window, std::uint64_t tag) {
  InFlight& entry = window.on_report(tag, DeliveryOutcome::delivered, "");
  entry.settled = true;
  entry.closed = true;
}

TEST(Window, IsFullAtItsRecordsAndHasRoomAgainAfterAReport) {
  Window window{{.records_max = 2, .bytes_max = 1'000}};
  const auto first = submit(window, 1);
  ASSERT_TRUE(window.has_room_for(100));
  submit(window, 2);
  ASSERT_FALSE(window.has_room_for(100));

  deliver(window, first);

  EXPECT_TRUE(window.has_room_for(100));
  EXPECT_EQ(window.open(), 1U);
}

TEST(Window, IsFullAtItsBytes) {
  Window window{{.records_max = 100, .bytes_max = 250}};
  submit(window, 1);

  EXPECT_TRUE(window.has_room_for(150));
  EXPECT_FALSE(window.has_room_for(151));
}

TEST(Window, TakesOneRecordOfAnySizeWhenItIsEmpty) {
  Window window{{.records_max = 1, .bytes_max = 10}};

  EXPECT_TRUE(window.has_room_for(1'000'000));
}

TEST(Window, GivesTheRecordOfATagBackInAnyOrderOfReports) {
  Window window{{}};
  const auto first = submit(window, 1);
  const auto second = submit(window, 2);
  const auto third = submit(window, 3);

  EXPECT_EQ(window.on_report(third, DeliveryOutcome::delivered, "").seq, Seq{3});
  EXPECT_EQ(window.on_report(first, DeliveryOutcome::refused, "bad").seq, Seq{1});
  EXPECT_EQ(window.on_report(second, DeliveryOutcome::delivered, "").seq, Seq{2});

  EXPECT_EQ(window.open(), 0U);
  EXPECT_STREQ(window[0].error, "bad");
}

TEST(Window, DropsNothingBehindARecordThatIsNotClosed) {
  Window window{{}};
  const auto first = submit(window, 1);
  const auto second = submit(window, 2);
  deliver(window, second);

  window.drop_closed();
  EXPECT_EQ(window.size(), 2U);
  deliver(window, first);
  window.drop_closed();

  EXPECT_EQ(window.size(), 0U);
}

TEST(Window, GoesOnCountingTagsAfterADrop) {
  Window window{{}};
  deliver(window, submit(window, 1));
  window.drop_closed();

  const auto second = submit(window, 2);

  EXPECT_EQ(window.on_report(second, DeliveryOutcome::delivered, "").seq, Seq{2});
}

TEST(Window, KnowsWhenTheOldestUnreportedRecordWasSubmitted) {
  Window window{{}};
  EXPECT_FALSE(window.oldest_open_at());
  const auto first = submit(window, 1);
  const auto second = submit(window, 2);
  EXPECT_EQ(window.oldest_open_at(), start + 1ms);

  deliver(window, first);
  EXPECT_EQ(window.oldest_open_at(), start + 2ms);
  deliver(window, second);

  EXPECT_FALSE(window.oldest_open_at());
}

TEST(Window, TakesACopiedRecordForSettledThoughItsReportIsOwed) {
  Window window{{}};
  submit(window, 1);
  submit(window, 2);

  window[0].settled = true;

  EXPECT_EQ(window.oldest_unsettled(), Stamp{20});
  EXPECT_EQ(window.open(), 2U);
}

TEST(WindowDeath, ASecondReportIsABug) {
  Window window{{}};
  const auto tag = submit(window, 1);
  deliver(window, tag);

  EXPECT_DEATH(deliver(window, tag), "SPILLWAY_CHECK");
}

TEST(WindowDeath, AReportForNothingIsABug) {
  Window window{{}};
  submit(window, 1);

  EXPECT_DEATH(deliver(window, 7), "SPILLWAY_CHECK");
}

TEST(WindowDeath, ClearingWhileAReportIsOwedIsABug) {
  Window window{{}};
  submit(window, 1);

  EXPECT_DEATH(window.clear(), "SPILLWAY_CHECK");
}

/// The same, by looking at every entry each time.
struct PlainEntry {
  std::uint64_t tag = 0;
  InFlight entry;
  bool reported = false;
};

std::optional<Instant> oldest_open(const std::deque<PlainEntry>& entries) {
  const auto found = std::ranges::find(entries, false, &PlainEntry::reported);
  if (found == entries.end()) return std::nullopt;
  return found->entry.submitted_at;
}

std::optional<Stamp> oldest_unsettled(const std::deque<PlainEntry>& entries) {
  const auto found =
      std::ranges::find(entries, false, [](const PlainEntry& one) { return one.entry.settled; });
  if (found == entries.end()) return std::nullopt;
  return found->entry.stamp;
}

void report_one(Window& window, std::deque<PlainEntry>& plain) {
  std::vector<PlainEntry*> open;
  for (PlainEntry& one : plain) {
    if (!one.reported) open.push_back(&one);
  }
  if (open.empty()) return;
  PlainEntry& chosen = *open[*rc::gen::inRange<std::size_t>(0, open.size())];
  chosen.reported = true;
  chosen.entry.settled = true;
  deliver(window, chosen.tag);
}

TEST(Window, AnswersAsALookAtEveryEntryWould) {
  const bool holds = rc::check("window = plain list", [] {
    Window window{{.records_max = 20, .bytes_max = 1'500}};
    std::deque<PlainEntry> plain;
    std::uint64_t seq = 0;
    const auto steps = *rc::gen::inRange(0, 60);
    for (int step = 0; step < steps; ++step) {
      const auto action = *rc::gen::inRange(0, 4);
      if (action <= 1 && window.has_room_for(100)) {
        const auto tag = submit(window, ++seq);
        plain.push_back({.tag = tag, .entry = record(seq), .reported = false});
      } else if (action == 2) {
        report_one(window, plain);
      } else {
        window.drop_closed();
        while (!plain.empty() && plain.front().reported)
          plain.pop_front();
      }
      const auto open =
          static_cast<std::size_t>(std::ranges::count(plain, false, &PlainEntry::reported));
      RC_ASSERT(window.size() == plain.size());
      RC_ASSERT(window.open() == open);
      RC_ASSERT(window.has_room_for(100) == (open == 0 || (open < 20 && open < 15)));
      RC_ASSERT(window.oldest_open_at() == oldest_open(plain));
      RC_ASSERT(window.oldest_unsettled() == oldest_unsettled(plain));
    }
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace spillway::core
