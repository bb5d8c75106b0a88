// tests/unit/program/histogram_test.cpp: quantiles are upper edges, at most 0.1 % above the truth.

#include "histogram.hpp"

#include <cstdint>

#include <gtest/gtest.h>

namespace spillway::program {
namespace {

using namespace std::chrono_literals;

TEST(Histogram, IsEmptyAtFirst) {
  const Histogram histogram;

  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.quantile(0.99), 0ns);
}

TEST(Histogram, KnowsShortDurationsExactly) {
  Histogram histogram;
  for (int ns = 1; ns <= 1'000; ++ns)
    histogram.count(std::chrono::nanoseconds{ns});

  EXPECT_EQ(histogram.quantile(0.5), 501ns);
  EXPECT_EQ(histogram.quantile(0.99), 991ns);
  EXPECT_EQ(histogram.quantile(1), 1'000ns);
}

TEST(Histogram, IsAtMostATenthOfAPercentAboveLongOnes) {
  for (std::int64_t ns = 1; ns < std::int64_t{1} << 39; ns = ns * 3 + 1) {
    Histogram histogram;
    histogram.count(std::chrono::nanoseconds{ns});

    EXPECT_GE(histogram.quantile(0.5).count(), ns);
    EXPECT_LE(static_cast<double>(histogram.quantile(0.5).count()),
              1.001 * static_cast<double>(ns));
  }
}

TEST(Histogram, KeepsWhatIsOutOfItsRange) {
  Histogram histogram;
  histogram.count(-1ns);
  histogram.count(24h);

  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.quantile(0), 0ns);
  EXPECT_GE(histogram.quantile(1), 18min);
}

TEST(Histogram, ADifferenceIsWhatWasCountedInBetween) {
  Histogram histogram;
  histogram.count(10ns);
  const Histogram before = histogram;
  histogram.count(1s);

  histogram.subtract(before);

  EXPECT_EQ(histogram.count(), 1U);
  EXPECT_GE(histogram.quantile(0.5), 1s);
}

}  // namespace
}  // namespace spillway::program
