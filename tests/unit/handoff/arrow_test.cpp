// tests/unit/handoff/arrow_test.cpp: from one thread to one other, first in, first out.

#include "handoff/arrow.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

namespace spillway::handoff {
namespace {

TEST(Arrow, GivesNothingWhenNothingWasSent) {
  Arrow<int> arrow;
  int message = 0;

  EXPECT_FALSE(arrow.receive(message));
}

TEST(Arrow, CarriesWhatCanOnlyBeMoved) {
  Arrow<std::unique_ptr<int>> arrow;
  arrow.send(std::make_unique<int>(7));
  std::unique_ptr<int> message;

  ASSERT_TRUE(arrow.receive(message));

  EXPECT_EQ(*message, 7);
}

TEST(Arrow, KeepsTheOrderBetweenTwoThreads) {
  constexpr std::uint64_t messages = 100'000;
  Arrow<std::uint64_t> arrow;
  std::jthread sender{[&arrow] {
    for (std::uint64_t i = 0; i < messages; ++i)
      arrow.send(i);
  }};

  std::array<std::uint64_t, 64> received{};
  std::uint64_t expected = 0;
  while (expected < messages) {
    const std::size_t count = arrow.receive(received);
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_EQ(received.at(i), expected++);
  }
}

}  // namespace
}  // namespace spillway::handoff
