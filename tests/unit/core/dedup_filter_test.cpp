// tests/unit/core/dedup_filter_test.cpp: what a consumer sees once, whatever copies arrive (P6).

#include "spillway/dedup_filter.hpp"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(Position, IsReadFromTheHeaderAndFromNothingElse) {
  EXPECT_EQ(Position::parse("00000000000000ff-3-42"),
            (Position{.instance = 255, .lane = 3, .seq = 42}));
  EXPECT_FALSE(Position::parse(""));
  EXPECT_FALSE(Position::parse("00000000000000FF-3-42"));
  EXPECT_FALSE(Position::parse("00000000000000ff-3-0")) << "seqs begin at 1";
  EXPECT_FALSE(Position::parse("00000000000000ff-3-42 "));
}

TEST(DedupFilter, TakesWhatAscendsAndDropsWhatDoesNot) {
  DedupFilter filter;
  std::vector<std::uint64_t> taken;

  for (const std::uint64_t seq : {1U, 2U, 2U, 5U, 1U, 2U, 5U, 6U}) {
    if (filter.is_new(0, {.instance = 1, .lane = 0, .seq = seq})) taken.push_back(seq);
  }

  EXPECT_EQ(taken, (std::vector<std::uint64_t>{1, 2, 5, 6}));
}

TEST(DedupFilter, TellsPartitionsInstancesAndLanesApart) {
  DedupFilter filter;

  EXPECT_TRUE(filter.is_new(0, {.instance = 1, .lane = 0, .seq = 9}));
  EXPECT_TRUE(filter.is_new(1, {.instance = 1, .lane = 0, .seq = 9}));
  EXPECT_TRUE(filter.is_new(0, {.instance = 2, .lane = 0, .seq = 9}));
  EXPECT_TRUE(filter.is_new(0, {.instance = 1, .lane = 1, .seq = 9}));
  EXPECT_FALSE(filter.is_new(0, {.instance = 1, .lane = 0, .seq = 9}));
  EXPECT_EQ(filter.size(), 4U);
}

}  // namespace
}  // namespace spillway
