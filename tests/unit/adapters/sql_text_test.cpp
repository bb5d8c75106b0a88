// tests/unit/adapters/sql_text_test.cpp: literals that cannot be anything but the value, and lock
// keys.

#include "adapters/postgres/sql_text.hpp"

#include <array>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include "adapters/postgres/lock_keys.hpp"
#include "spillway/envelope.hpp"

namespace spillway::postgres {
namespace {

using namespace std::string_view_literals;

TEST(SqlText, WritesNumbersOfEverySize) {
  EXPECT_EQ(number(std::numeric_limits<std::int64_t>::min()), "'-9223372036854775808'::bigint");
  EXPECT_EQ(number(std::numeric_limits<std::uint64_t>::max()), "'-1'::bigint");
  EXPECT_EQ(array_literal(std::array<std::uint64_t, 3>{1, 2, ~std::uint64_t{0}}),
            "'{1,2,-1}'::bigint[]");
  EXPECT_EQ(array_literal({}), "'{}'::bigint[]");
}

TEST(SqlText, WritesBytesInHex) {
  EXPECT_EQ(bytea_literal(bytes_of("\0'\\\xFF"sv)), "'\\x00275cff'::bytea");
}

TEST(SqlText, WritesTextThatNoServerRefuses) {
  EXPECT_EQ(text_literal("it's \0 caf\xC3"sv), "'it''s ? caf?'::text");
}

// PostgreSQL's 'infinity' and '-infinity' are the ends of its numbers.
TEST(SqlText, ReadsTimesBeyondNanosecondsAsTheOutermost) {
  using Limits = std::numeric_limits<std::int64_t>;

  EXPECT_EQ(from_postgres_us(Limits::max()), core::UnixTime{Limits::max() / 1'000 * 1'000});
  EXPECT_EQ(from_postgres_us(Limits::min()), core::UnixTime{Limits::min() / 1'000 * 1'000});
}

TEST(SqlText, KeepsTimesToTheMicrosecond) {
  const core::UnixTime time{1'700'000'000'123'456'000};

  EXPECT_EQ(from_postgres_us(to_postgres_us(time)), time);
  EXPECT_EQ(to_postgres_us(core::UnixTime{0}), -postgres_epoch_us);
}

// Other versions compute the same: these numbers never change.
TEST(LockKeys, AreWhatTheyAlwaysWere) {
  const core::InstanceId instance{0xFEDC'BA98'7654'3210};

  EXPECT_EQ(from_bigint(owner_key(instance)), 0xFEDC'BA98'7654'3210U ^ 0x5350'494C'4C4F'574EU);
  EXPECT_EQ(from_bigint(lease_key({.instance = instance, .lane = {3}})),
            0xFEDC'BA98'7654'3210U ^ 0x5350'494C'4C45'4153U ^ 0x0003'0000'0000'0000U);
}

}  // namespace
}  // namespace spillway::postgres
