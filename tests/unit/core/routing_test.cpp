// tests/unit/core/routing_test.cpp: a key always has the same lane, and lanes share the keys (P1).

#include "core/routing.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace spillway::core {
namespace {

TEST(Routing, GivesAKeyTheSameLaneWhereverItsBytesLie) {
  const bool holds = rc::check("lane(copy of key) = lane(key)", [](const std::string& key) {
    const auto lanes = *rc::gen::inRange<std::size_t>(1, 65);
    const std::string moved = "x" + key + "y";  // another alignment, other neighbours

    const LaneIndex lane = lane_of_key(bytes_of(key), lanes);

    RC_ASSERT(lane.value < lanes);
    RC_ASSERT(lane_of_key(bytes_of(moved).subspan(1, key.size()), lanes) == lane);
  });
  EXPECT_TRUE(holds);
}

// A journal outlives its process: a key must have the lane that the former process gave it.
TEST(Routing, IsTheSameInEveryProcess) {
  EXPECT_EQ(lane_of_key(bytes_of(""), 4), LaneIndex{0});
  std::vector<std::uint16_t> lanes;
  for (int i = 0; i < 8; ++i) {
    lanes.push_back(lane_of_key(bytes_of("customer-" + std::to_string(i)), 4).value);
  }

  EXPECT_EQ(lanes, (std::vector<std::uint16_t>{1, 3, 1, 2, 1, 3, 2, 3}));
}

TEST(Routing, SharesOutShortKeysThatCount) {
  constexpr std::size_t keys = 10'000;
  for (const std::size_t lanes : {2U, 3U, 4U, 8U}) {
    std::vector<std::size_t> counts(lanes);
    for (std::size_t i = 0; i < keys; ++i) {
      ++counts[lane_of_key(bytes_of("k" + std::to_string(i)), lanes).value];
    }

    for (const std::size_t count : counts) {
      EXPECT_GT(count, keys / lanes * 9 / 10) << lanes << " lanes";
      EXPECT_LT(count, keys / lanes * 11 / 10) << lanes << " lanes";
    }
  }
}

TEST(Routing, SendsEverythingToAnOnlyLane) {
  EXPECT_EQ(lane_of_key(bytes_of("any"), 1), LaneIndex{0});
}

}  // namespace
}  // namespace spillway::core
