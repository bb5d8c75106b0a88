// tests/crash/crash_test.cpp: kill -9 at any instruction loses, doubles and reorders nothing
// (P1-P8).

#include <gtest/gtest.h>

#include "crash/campaign.hpp"

namespace spillway::crash {
namespace {

TEST(Crash, TwoHundredKillsLoseDoubleAndReorderNothing) {
  Campaign campaign{20'261'124};

  while (campaign.kills() < 200)
    ASSERT_TRUE(campaign.run()) << campaign.findings().front();

  EXPECT_GT(campaign.records(), 1'000U);
  EXPECT_GT(campaign.kills_at_a_moment(), 0U);
  for (std::size_t i = 0; i < points; ++i) {
    EXPECT_GT(campaign.kills_behind(Point{static_cast<std::uint8_t>(i)}), 0U) << point_names[i];
  }
}

TEST(Crash, AKillAtAnyInstructionOfAPublishLosesDoublesAndReordersNothing) {
  constexpr std::uint64_t instructions = 600;  // about as many as one has
  Campaign campaign{20'261'124};

  EXPECT_TRUE(campaign.walk_a_publish(instructions)) << campaign.findings().front();

  EXPECT_EQ(campaign.kills_behind(Point::publish), instructions);
}

}  // namespace
}  // namespace spillway::crash
