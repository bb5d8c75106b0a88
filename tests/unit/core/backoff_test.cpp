// tests/unit/core/backoff_test.cpp: a server that is away is tried less and less often, never in
// step.

#include "core/backoff.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace spillway::core {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, LiesBetweenHalfAndTheWholeOfWhatDoubles) {
  const bool holds = rc::check("half <= delay <= whole", [](std::uint64_t seed) {
    const Duration first{*rc::gen::inRange<Duration::rep>(2, 1'000'000)};
    const Duration last = first * *rc::gen::inRange(1, 1'000);
    Backoff backoff{first, last, seed};

    Duration whole = first;
    for (int i = 0; i < 20; ++i) {
      const Duration delay = backoff.next();
      RC_ASSERT(delay >= whole / 2);
      RC_ASSERT(delay <= whole);
      whole = std::min(whole * 2, last);
    }
  });
  EXPECT_TRUE(holds);
}

TEST(Backoff, BeginsAgainAfterASuccess) {
  Backoff backoff{10ms, 1s, 7};
  for (int i = 0; i < 10; ++i)
    static_cast<void>(backoff.next());

  backoff.reset();

  EXPECT_LE(backoff.next(), 10ms);
}

TEST(Backoff, IsTheSameForOneSeedAndDiffersBetweenSeeds) {
  std::set<Duration> delays;
  for (const std::uint64_t seed : {2U, 4U, 6U, 8U, 10U}) {
    Backoff one{100ms, 1s, seed};
    Backoff same{100ms, 1s, seed};
    const Duration delay = one.next();
    EXPECT_EQ(delay, same.next());
    delays.insert(delay);
  }

  EXPECT_GT(delays.size(), 3U);
}

}  // namespace
}  // namespace spillway::core
