// tests/unit/core/poll_ladder_test.cpp: 0.1 s → 1 s → 5 s while the outbox is empty.

#include "core/poll_ladder.hpp"

#include <array>
#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace spillway::core {
namespace {

using namespace std::chrono_literals;

TEST(PollLadder, ClimbsWhileNothingIsFoundAndStaysAtTheTop) {
  PollLadder ladder{100ms};
  EXPECT_EQ(ladder.interval(), 100ms);

  ladder.on_idle();
  EXPECT_EQ(ladder.interval(), 1s);
  ladder.on_idle();
  EXPECT_EQ(ladder.interval(), 5s);
  ladder.on_idle();

  EXPECT_EQ(ladder.interval(), 5s);
}

TEST(PollLadder, GoesBackToItsFirstRungOnWork) {
  PollLadder ladder{5s};

  ladder.on_work();

  EXPECT_EQ(ladder.interval(), 100ms);
}

struct Start {
  const char* name;
  Duration asked;
  Duration rung;
};

const std::array starts{
    Start{"Development", 100ms, 100ms}, Start{"Staging", 1s, 1s},    Start{"Production", 5s, 5s},
    Start{"BelowAll", 1ms, 100ms},      Start{"Between", 200ms, 1s}, Start{"AboveAll", 1h, 5s},
};
class LadderStart : public testing::TestWithParam<Start> {};

TEST_P(LadderStart, IsTheLowestRungThatIsLongEnough) {
  EXPECT_EQ(PollLadder{GetParam().asked}.interval(), GetParam().rung);
}
INSTANTIATE_TEST_SUITE_P(PollLadder, LadderStart, testing::ValuesIn(starts),
                         [](const auto& row) { return std::string{row.param.name}; });

}  // namespace
}  // namespace spillway::core
