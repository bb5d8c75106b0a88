// tests/unit/core/histogram_test.cpp: three digits of every latency, from 1 ns to 18 minutes.

#include "core/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace spillway::core {
namespace {

TEST(Histogram, HasABucketForEachValueBelow2048) {
  for (std::uint64_t value = 0; value < 2'048; ++value) {
    EXPECT_EQ(bucket_of(value), value);
    EXPECT_EQ(upper_edge(bucket_of(value)), value);
  }
}

TEST(Histogram, BucketsFollowEachOtherWithoutGap) {
  for (std::size_t bucket = 0; bucket + 1 < histogram_buckets; ++bucket) {
    ASSERT_EQ(bucket_of(upper_edge(bucket)), bucket);
    ASSERT_EQ(bucket_of(upper_edge(bucket) + 1), bucket + 1);
  }
}

TEST(Histogram, EndsAtItsLargestValueAndCountsLargerOnesThere) {
  EXPECT_EQ(histogram_buckets, 31'744U);
  EXPECT_EQ(upper_edge(histogram_buckets - 1), histogram_value_max);
  EXPECT_EQ(bucket_of(~std::uint64_t{0}), histogram_buckets - 1);
}

TEST(Histogram, ErrsByOneInAThousandAtMostAndNeverBelow) {
  const bool holds = rc::check("value <= edge <= value * 1.001", [] {
    const auto bits = *rc::gen::inRange(1U, 41U);
    const auto value = *rc::gen::arbitrary<std::uint64_t>() & ((std::uint64_t{1} << bits) - 1);

    const std::uint64_t edge = upper_edge(bucket_of(value));

    RC_ASSERT(edge >= value);
    RC_ASSERT((edge - value) * 1'000 <= value);
  });
  EXPECT_TRUE(holds);
}

TEST(Histogram, QuantileIsTheOneOfTheSortedValuesToThreeDigits) {
  const bool holds = rc::check("quantile = sorted[rank]", [] {
    const auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::uint64_t>>(
        rc::gen::inRange<std::uint64_t>(0, 1U << 30U)));
    const double fraction = static_cast<double>(*rc::gen::inRange(0, 1'001)) / 1'000;
    std::vector<std::uint64_t> counts(histogram_buckets);
    for (const std::uint64_t value : values)
      ++counts[bucket_of(value)];
    std::vector<std::uint64_t> sorted = values;
    std::ranges::sort(sorted);
    const auto rank = static_cast<std::size_t>(
        std::max(1.0, std::ceil(fraction * static_cast<double>(sorted.size()))));

    const std::uint64_t found = quantile(counts, fraction);

    RC_ASSERT(found == upper_edge(bucket_of(sorted[rank - 1])));
  });
  EXPECT_TRUE(holds);
}

TEST(Histogram, QuantileOfNothingIsZero) {
  const std::vector<std::uint64_t> counts(histogram_buckets);

  EXPECT_EQ(quantile(counts, 0.99), 0U);
}

}  // namespace
}  // namespace spillway::core
