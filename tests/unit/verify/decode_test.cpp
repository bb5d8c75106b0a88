// tests/unit/verify/decode_test.cpp: the auditor's own reading of headers, payloads and header
// blocks.

#include "verify/decode.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace spillway::verify {
namespace {

using namespace std::string_view_literals;

struct NotAPosition {
  const char* name;
  std::string_view text;
};
class PositionText : public testing::TestWithParam<NotAPosition> {};

TEST_P(PositionText, IsRefused) {
  EXPECT_FALSE(parse_position(GetParam().text).has_value());
}

constexpr std::array not_positions{
    NotAPosition{"Empty", ""},
    NotAPosition{"InstanceOnly", "00c17f3a22d09e41"},
    NotAPosition{"NoSeq", "00c17f3a22d09e41-1"},
    NotAPosition{"EmptySeq", "00c17f3a22d09e41-1-"},
    NotAPosition{"SeqZero", "00c17f3a22d09e41-1-0"},
    NotAPosition{"LeadingZero", "00c17f3a22d09e41-1-012"},
    NotAPosition{"LaneTooLarge", "00c17f3a22d09e41-65536-1"},
    NotAPosition{"SeqTooLarge", "00c17f3a22d09e41-1-18446744073709551616"},
    NotAPosition{"UpperCase", "00C17F3A22D09E41-1-1"},
    NotAPosition{"ShortInstance", "0c17f3a22d09e41-1-1"},
    NotAPosition{"Sign", "00c17f3a22d09e41-1--1"},
    NotAPosition{"TrailingSpace", "00c17f3a22d09e41-1-1 "},
};
INSTANTIATE_TEST_SUITE_P(Decode, PositionText, testing::ValuesIn(not_positions),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(Decode, ReadsAPositionAndWritesItBack) {
  const auto position = parse_position("00c17f3a22d09e41-12-90412");

  ASSERT_TRUE(position.has_value());
  EXPECT_EQ(*position, (Position{.instance = 0x00c17f3a22d09e41, .lane = 12, .seq = 90412}));
  EXPECT_EQ(text_of(*position), "00c17f3a22d09e41-12-90412");
}

constexpr std::string_view payload_text =
    "run=00000000000000ff publisher=0007 n=000000000042 at=1700000000000000001    ";

TEST(Decode, ReadsThePayloadOfALoad) {
  const Payload payload = read_payload(bytes_of(payload_text));

  ASSERT_EQ(payload.kind, PayloadKind::tagged);
  EXPECT_EQ(payload.tag.run, 255U);
  EXPECT_EQ(payload.tag.publisher, 7U);
  EXPECT_EQ(payload.tag.n, 42U);
  EXPECT_EQ(payload.tag.at_unix_ns, 1'700'000'000'000'000'001U);
}

TEST(Decode, TellsADamagedPayloadFromAForeignOne) {
  std::string padding{payload_text};
  padding.back() = 'x';
  std::string digit{payload_text};
  digit[40] = 'x';

  EXPECT_EQ(read_payload(bytes_of(padding)).kind, PayloadKind::damaged);
  EXPECT_EQ(read_payload(bytes_of(digit)).kind, PayloadKind::damaged);
  EXPECT_EQ(read_payload(bytes_of(payload_text.substr(0, 60))).kind, PayloadKind::damaged);
  EXPECT_EQ(read_payload(bytes_of("run=fast")).kind, PayloadKind::foreign);
  EXPECT_EQ(read_payload({}).kind, PayloadKind::foreign);
}

TEST(Decode, KafkaHeadersAndAHeaderBlockMakeTheSameRecord) {
  RecordReader from_kafka{bytes_of("key"), bytes_of("payload")};
  from_kafka.take_header("spillway-position", bytes_of("00c17f3a22d09e41-1-1"));
  from_kafka.take_header("a", bytes_of("1"));
  from_kafka.take_header("null", std::nullopt);
  RecordReader from_outbox{bytes_of("key"), bytes_of("payload")};

  const bool well_formed =
      from_outbox.take_header_block(bytes_of("\0\1a\0\0\0\1"
                                             "1"
                                             "\0\4null\xFF\xFF\xFF\xFF"sv));

  EXPECT_TRUE(well_formed);
  EXPECT_EQ(from_kafka.content(), from_outbox.content());
}

TEST(Decode, EveryPartOfARecordCounts) {
  const auto content = [](std::optional<Bytes> key, std::optional<Bytes> payload,
                          std::string_view name, std::optional<Bytes> value) {
    RecordReader record{key, payload};
    record.take_header(name, value);
    return record.content();
  };
  const auto original = content(bytes_of("k"), bytes_of("p"), "n", bytes_of("v"));

  EXPECT_EQ(content(bytes_of("k"), bytes_of("p"), "n", bytes_of("v")), original);
  EXPECT_NE(content(bytes_of("l"), bytes_of("p"), "n", bytes_of("v")), original);
  EXPECT_NE(content(std::nullopt, bytes_of("p"), "n", bytes_of("v")), original);
  EXPECT_NE(content(bytes_of("k"), bytes_of(""), "n", bytes_of("v")),
            content(bytes_of("k"), std::nullopt, "n", bytes_of("v")));
  EXPECT_NE(content(bytes_of("k"), bytes_of("p"), "m", bytes_of("v")), original);
  EXPECT_NE(content(bytes_of("k"), bytes_of("p"), "n", std::nullopt), original);
}

TEST(Decode, AHeaderBlockThatIsCutIsRefused) {
  constexpr auto whole =
      "\0\1a\0\0\0\1"
      "1"sv;

  for (std::size_t length = 1; length < whole.size(); ++length) {
    RecordReader record{std::nullopt, std::nullopt};
    EXPECT_FALSE(record.take_header_block(bytes_of(whole.substr(0, length)))) << length;
  }
}

TEST(Decode, TwoPositionsThatDifferAreNone) {
  RecordReader record{std::nullopt, std::nullopt};
  record.take_header("spillway-position", bytes_of("00c17f3a22d09e41-1-1"));
  record.take_header("spillway-position", bytes_of("00c17f3a22d09e41-1-2"));

  EXPECT_FALSE(record.position().has_value());
}

// The values of Kafka's own test of murmur2 (UtilsTest.testMurmur2).
TEST(PartitionOfAKey, IsTheJavaClients) {
  struct Row {
    std::string_view key;
    std::int32_t hash;
  };
  constexpr std::array rows{
      Row{"21", -973932308},
      Row{"foobar", -790332482},
      Row{"a-little-bit-long-string", -985981536},
      Row{"a-little-bit-longer-string", -1486304829},
      Row{"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      Row{"abc", 479470107},
  };
  for (const Row& row : rows) {
    for (const std::uint32_t partitions : {1U, 7U, 1'000'003U}) {
      const std::uint32_t positive = static_cast<std::uint32_t>(row.hash) & 0x7FFFFFFFU;
      EXPECT_EQ(partition_of(bytes_of(row.key), partitions), positive % partitions) << row.key;
    }
  }
}

}  // namespace
}  // namespace spillway::verify
