#include "verify/slot_table.hpp"

#include <cstdint>

#include <gtest/gtest.h>

namespace spillway::verify {
namespace {

constexpr std::uint8_t met = 1;
constexpr std::uint8_t met_again = 2;

TEST(SlotTable, KnowsNothingThatNobodyAskedFor) {
  SlotTable table{24};
  table.at(5).word.set(met);

  EXPECT_TRUE(table.find(6));
  EXPECT_FALSE(table.find(SlotTable::page_end(5)));
}

TEST(SlotTable, HoldsAPackedPageAsItWasAndTakesWhatIsAdded) {
  SlotTable table{24};
  table.at(5).print = 77;
  table.at(5).word.set(1'000, 3);

  table.pack_idle(0);
  EXPECT_EQ(table.find(5)->print, 77U);
  table.at(5).word.set(met);
  EXPECT_TRUE(table.find(5)->word.has(met));  // not what was looked at before
  table.pack_idle(0);
  table.at(6).word.set(met_again);
  table.pack_idle(0);

  EXPECT_EQ(table.find(5)->word.number(), 1'000U);
  EXPECT_EQ(table.find(5)->word.index(), 3U);
  EXPECT_TRUE(table.find(5)->word.has(met));
  EXPECT_TRUE(table.find(6)->word.has(met_again));
}

TEST(SlotTable, KeepsOpenWhatWasUsedLast) {
  SlotTable table{0};
  const std::uint64_t second = SlotTable::page_end(0);
  table.at(0).word.set(met);
  table.at(second).word.set(met);
  CodedSlot& first = table.at(0);

  table.pack_idle(1);

  EXPECT_EQ(&table.at(0), &first);
  EXPECT_TRUE(table.find(second)->word.has(met));
}

TEST(SlotTable, IsSmallerWhenItIsPacked) {
  SlotTable table{24};
  for (std::uint64_t n = 0; n < 100'000; ++n)
    table.at(n).word.set(n, 0);
  const std::size_t open_bytes = table.bytes();

  table.pack_idle(1);

  EXPECT_LT(table.bytes(), open_bytes / 3);
}

}  // namespace
}  // namespace spillway::verify
