// tests/unit/core/stamp_merge_test.cpp: several publishers' records in one order (P1, P2).

#include "core/stamp_merge.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace spillway::core {
namespace {

/// Stamp, and the record's offset to tell it by.
using Plain = std::pair<std::uint64_t, std::uint64_t>;

void hand_over(StampMerge& merge, const std::vector<Plain>& records) {
  const auto room = merge.room(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    room[i] = {.stamp = {records[i].first}, .record = {records[i].second}};
  }
  merge.take(records.size());
}

std::vector<Plain> take_ready(StampMerge& merge) {
  std::vector<Plain> ready;
  for (const HandedOver& one : merge.ready())
    ready.emplace_back(one.stamp.value, one.record.value);
  merge.clear_ready();
  return ready;
}

TEST(StampMerge, PutsTwoPublishersInStampOrder) {
  StampMerge merge;
  hand_over(merge, {{10, 1}, {30, 2}, {20, 3}, {40, 4}});

  merge.merge({100});

  EXPECT_EQ(take_ready(merge), (std::vector<Plain>{{10, 1}, {20, 3}, {30, 2}, {40, 4}}));
}

TEST(StampMerge, HoldsBackWhatIsNotOlderThanTheDrain) {
  StampMerge merge;
  hand_over(merge, {{10, 1}, {20, 2}, {30, 3}});

  merge.merge({20});

  EXPECT_EQ(take_ready(merge), (std::vector<Plain>{{10, 1}}));
  EXPECT_EQ(merge.size(), 2U);
}

TEST(StampMerge, PutsALaterOldRecordBeforeWhatItHeldBack) {
  StampMerge merge;
  hand_over(merge, {{50, 1}});
  merge.merge({40});
  ASSERT_TRUE(merge.ready().empty());
  hand_over(merge, {{45, 2}});

  merge.merge({60});

  EXPECT_EQ(take_ready(merge), (std::vector<Plain>{{45, 2}, {50, 1}}));
}

TEST(StampMerge, KeepsTheOrderOfArrivalAmongEqualStamps) {
  StampMerge merge;
  hand_over(merge, {{7, 3}, {7, 1}, {5, 9}, {7, 2}});

  merge.merge({8});

  EXPECT_EQ(take_ready(merge), (std::vector<Plain>{{5, 9}, {7, 3}, {7, 1}, {7, 2}}));
}

TEST(StampMerge, KnowsItsOldest) {
  StampMerge merge;
  hand_over(merge, {{30, 1}, {20, 2}});

  merge.merge({0});

  EXPECT_EQ(merge.oldest().stamp, Stamp{20});
}

/// What is asked of it, said the plain way: all that was handed over and not yet emitted, sorted.
class Reference {
 public:
  void hand_over(const std::vector<Plain>& records) {
    waiting_.insert(waiting_.end(), records.begin(), records.end());
  }
  std::vector<Plain> emit_before(std::uint64_t drained_at) {
    std::ranges::stable_sort(waiting_, {}, &Plain::first);
    const auto young = std::ranges::lower_bound(waiting_, drained_at, {}, &Plain::first);
    std::vector<Plain> ready{waiting_.begin(), young};
    waiting_.erase(waiting_.begin(), young);
    return ready;
  }
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }

 private:
  std::vector<Plain> waiting_;
};

TEST(StampMerge, DoesWhatTheReferenceDoesOverManyTurns) {
  const bool holds = rc::check("merge = reference", [] {
    StampMerge merge;
    Reference reference;
    std::uint64_t next_record = 0;
    const auto turns = *rc::gen::inRange(1, 12);
    for (int turn = 0; turn < turns; ++turn) {
      std::vector<Plain> records;
      for (const auto stamp : *rc::gen::container<std::vector<std::uint64_t>>(
               rc::gen::inRange<std::uint64_t>(0, 40))) {
        records.emplace_back(stamp, ++next_record);
      }
      const auto drained_at = *rc::gen::inRange<std::uint64_t>(0, 45);
      hand_over(merge, records);
      reference.hand_over(records);

      merge.merge({drained_at});

      RC_ASSERT(take_ready(merge) == reference.emit_before(drained_at));
      RC_ASSERT(merge.size() == reference.size());
    }
  });
  EXPECT_TRUE(holds);
}

TEST(StampMerge, KeepsEachPublishersOwnOrder) {
  const bool holds = rc::check("runs stay runs", [] {
    // Each publisher's stamps ascend, as publish() makes them; the runs come interleaved.
    const auto publishers = *rc::gen::inRange<std::uint64_t>(1, 6);
    std::vector<std::uint64_t> last(publishers, 0);
    std::vector<std::uint64_t> counts(publishers, 0);
    std::vector<Plain> records;
    const auto total = *rc::gen::inRange(0, 60);
    for (int i = 0; i < total; ++i) {
      const auto who = *rc::gen::inRange<std::uint64_t>(0, publishers);
      last[who] += *rc::gen::inRange<std::uint64_t>(1, 5);
      records.emplace_back(last[who], who * 1'000 + ++counts[who]);
    }
    StampMerge merge;
    hand_over(merge, records);

    merge.merge({1'000});

    std::vector<std::uint64_t> seen(publishers, 0);
    for (const auto& [stamp, record] : take_ready(merge)) {
      RC_ASSERT(record % 1'000 == ++seen[record / 1'000]);
    }
    RC_ASSERT(seen == counts);
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace spillway::core
