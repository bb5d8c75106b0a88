// tests/unit/core/position_test.cpp: the text that says where a record stands, there and back (P6).

#include "core/position.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace spillway::core {
namespace {

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();

std::string text_of(std::uint64_t instance, std::uint16_t lane, std::uint64_t seq) {
  PositionText text;
  return std::string{format_position({{instance}, {lane}}, {seq}, text)};
}

TEST(Position, HasInstanceLaneAndSeqInThisOrder) {
  EXPECT_EQ(text_of(0xc17f3a22d09e41, 1, 90'412), "00c17f3a22d09e41-1-90412");
}

TEST(Position, TakesTheLargestNumbers) {
  const std::string text = text_of(largest, std::numeric_limits<std::uint16_t>::max(), largest);

  EXPECT_EQ(text, "ffffffffffffffff-65535-18446744073709551615");
  EXPECT_EQ(text.size(), position_chars_max);
}

TEST(Position, IsReadBackAsItWasWritten) {
  const bool holds = rc::check(
      "parse(format(x)) = x", [](std::uint64_t instance, std::uint16_t lane, std::uint64_t seq) {
        RC_PRE(seq != 0U);
        const ParsedPosition expected{{{instance}, {lane}}, {seq}};
        RC_ASSERT(parse_position(text_of(instance, lane, seq)) == expected);
      });
  EXPECT_TRUE(holds);
}

TEST(Position, IsTheSameOfAWriterWhateverItHasWrittenBefore) {
  const bool holds = rc::check("write(x) = format(x)", [] {
    PositionWriter writer;
    const auto few = rc::gen::inRange<std::uint16_t>(0, 3);
    for (int i = 0; i < 10; ++i) {
      const std::uint64_t instance = *few;
      const std::uint16_t lane = *few;
      const auto seq = *rc::gen::arbitrary<std::uint64_t>();
      RC_ASSERT(writer.write({{instance}, {lane}}, {seq}) == text_of(instance, lane, seq));
    }
  });
  EXPECT_TRUE(holds);
}

TEST(Position, IsReadOnlyIfItIsWhatFormatWrites) {
  const bool holds = rc::check("format(parse(text)) = text", [] {
    // Near misses: a true position with one character changed.
    const auto seq = *rc::gen::inRange<std::uint64_t>(1, 2'000);
    std::string text = text_of(*rc::gen::arbitrary<std::uint64_t>(), 7, seq);
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    text[at] = *rc::gen::elementOf(std::string{"0123456789abcdefABCDEF- +x"});

    const auto parsed = parse_position(text);

    if (parsed) {
      RC_ASSERT(text_of(parsed->stream.instance.value, parsed->stream.lane.value,
                        parsed->seq.value) == text);
    }
  });
  EXPECT_TRUE(holds);
}

struct BadText {
  const char* name;
  std::string_view text;
};

const std::array bad_texts{
    BadText{"Empty", ""},
    BadText{"OnlyTheInstance", "00c17f3a22d09e41"},
    BadText{"NoSeq", "00c17f3a22d09e41-1"},
    BadText{"EmptySeq", "00c17f3a22d09e41-1-"},
    BadText{"EmptyLane", "00c17f3a22d09e41--1"},
    BadText{"SeqZero", "00c17f3a22d09e41-1-0"},
    BadText{"LeadingZero", "00c17f3a22d09e41-1-01"},
    BadText{"Sign", "00c17f3a22d09e41-1-+1"},
    BadText{"Capitals", "00C17F3A22D09E41-1-1"},
    BadText{"ShortInstance", "0c17f3a22d09e41-1-1"},
    BadText{"LongInstance", "000c17f3a22d09e41-1-1"},
    BadText{"LaneTooLarge", "00c17f3a22d09e41-65536-1"},
    BadText{"SeqTooLarge", "00c17f3a22d09e41-1-18446744073709551616"},
    BadText{"AThirdNumber", "00c17f3a22d09e41-1-1-1"},
    BadText{"SpaceBehind", "00c17f3a22d09e41-1-1 "},
};
class BadPosition : public testing::TestWithParam<BadText> {};

TEST_P(BadPosition, IsNothing) {
  EXPECT_FALSE(parse_position(GetParam().text));
}
INSTANTIATE_TEST_SUITE_P(Position, BadPosition, testing::ValuesIn(bad_texts),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(ResendCause, IsReadBackAndAnUnknownOneIsNot) {
  using enum ResendCause;
  for (const ResendCause cause : {none, fatal, recovery, lease}) {
    EXPECT_EQ(parse_resend_cause(name_of(cause)), cause);
  }
  EXPECT_FALSE(parse_resend_cause("Fatal"));
  EXPECT_FALSE(parse_resend_cause("lease "));
}

}  // namespace
}  // namespace spillway::core
