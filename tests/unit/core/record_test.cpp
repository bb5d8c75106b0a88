// tests/unit/core/record_test.cpp: an envelope's layout in the journal, there and back (P5).

#include "core/record.hpp"

#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "support/record_maker.hpp"

namespace spillway::core {
namespace {

using test::EnvelopeText;
using test::record_of;
using test::text_of;

using Damage = std::function<void(RecordHeader&)>;

std::vector<std::byte> damaged(const Damage& damage) {
  std::vector<std::byte> bytes = record_of({});
  RecordHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  damage(header);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

std::optional<std::string> text_of(const std::optional<Bytes>& bytes) {
  if (!bytes) return std::nullopt;
  return text_of(*bytes);
}

rc::Gen<std::optional<std::string>> maybe_text() {
  return rc::gen::map(rc::gen::maybe(rc::gen::arbitrary<std::string>()),
                      [](const rc::Maybe<std::string>& text) {
                        return text ? std::optional{*text} : std::nullopt;
                      });
}

EnvelopeText any_envelope() {
  const auto when = *rc::gen::maybe(rc::gen::arbitrary<std::int64_t>());
  return {.key = *maybe_text(),
          .payload = *maybe_text(),
          .headers = *rc::gen::arbitrary<std::string>(),
          .event_time_ms = when ? std::optional{*when} : std::nullopt,
          .topic = *rc::gen::arbitrary<std::uint16_t>(),
          .lane = *rc::gen::arbitrary<std::uint16_t>(),
          .stamp = *rc::gen::arbitrary<std::uint64_t>()};
}

TEST(Record, TellsAbsentFromEmpty) {
  const auto without = record_of({.key = std::nullopt, .payload = std::nullopt});
  const auto with_empty = record_of({.key = "", .payload = ""});

  const auto of_absent = decode_record(without);
  const auto of_empty = decode_record(with_empty);

  ASSERT_TRUE(of_absent && of_empty);
  EXPECT_FALSE(of_absent->key || of_absent->payload);
  EXPECT_TRUE(of_empty->key && of_empty->key->empty());
  EXPECT_TRUE(of_empty->payload && of_empty->payload->empty());
}

TEST(Record, IsReadBackAsItWasWritten) {
  const bool holds = rc::check("decode(encode(x)) = x", [] {
    const EnvelopeText written = any_envelope();
    const std::vector<std::byte> bytes = record_of(written);

    const auto read = decode_record(bytes);

    RC_ASSERT(read.has_value());
    RC_ASSERT(text_of(read->key) == written.key);
    RC_ASSERT(text_of(read->payload) == written.payload);
    RC_ASSERT(text_of(read->headers) == written.headers);
    RC_ASSERT(read->event_time_ms == written.event_time_ms);
    RC_ASSERT(read->topic == TopicIndex{written.topic});
    RC_ASSERT(read->lane == LaneIndex{written.lane});
  });
  EXPECT_TRUE(holds);
}

TEST(Record, IsTornWhenItIsCut) {
  const std::vector<std::byte> bytes = record_of({.key = "k", .payload = "payload"});

  for (std::size_t left = 0; left < bytes.size(); ++left) {
    const std::vector<std::byte> cut{bytes.begin(),
                                     bytes.begin() + static_cast<std::ptrdiff_t>(left)};
    EXPECT_FALSE(decode_record(cut)) << left;
  }
}

TEST(Record, IsStillGoodWhenItsLaneHasWrittenToIt) {
  const auto bytes = damaged([](RecordHeader& header) {
    header.seq = 17;
    header.renumbered_from = 3;
    header.state = static_cast<std::uint64_t>(RecordState::submitted);
  });

  EXPECT_TRUE(decode_record(bytes));
}

struct DamagedField {
  const char* name;
  Damage damage;
};

const std::vector<DamagedField> damaged_fields{
    {"Stamp", [](RecordHeader& header) { ++header.stamp; }},
    {"EventTime", [](RecordHeader& header) { header.event_time_ms = 5; }},
    {"RecordBytesLarger", [](RecordHeader& header) { header.record_bytes += 8; }},
    {"RecordBytesZero", [](RecordHeader& header) { header.record_bytes = 0; }},
    {"RecordBytesHuge", [](RecordHeader& header) { header.record_bytes = 0xFFFFFFF8U; }},
    {"Check", [](RecordHeader& header) { header.check ^= 1U; }},
    {"KeyBytesNegative", [](RecordHeader& header) { header.key_bytes = -2; }},
    {"KeyBytesHuge", [](RecordHeader& header) { header.key_bytes = 0x7FFFFFFF; }},
    {"KeyBytesMoved", [](RecordHeader& header) { --header.key_bytes, ++header.payload_bytes; }},
    {"PayloadBytesNegative", [](RecordHeader& header) { header.payload_bytes = -7; }},
    {"HeadersBytesHuge", [](RecordHeader& header) { header.headers_bytes = 0xFFFFFFFFU; }},
    {"Lane", [](RecordHeader& header) { header.lane = 9; }},
    {"Topic", [](RecordHeader& header) { header.topic = 9; }},
};
class DamagedRecord : public testing::TestWithParam<DamagedField> {};

TEST_P(DamagedRecord, IsNothing) {
  EXPECT_FALSE(decode_record(damaged(GetParam().damage)));
}
INSTANTIATE_TEST_SUITE_P(Record, DamagedRecord, testing::ValuesIn(damaged_fields),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(Record, NeverReadsOutsideWhateverItHolds) {
  const bool holds = rc::check("views lie in the bytes", [] {
    // Hostile, with a check that fits: only the lengths can give it away.
    RecordHeader header{};
    const auto size = *rc::gen::inRange<std::size_t>(0, 200);
    header.record_bytes =
        *rc::gen::oneOf(rc::gen::arbitrary<std::uint32_t>(),
                        rc::gen::just(static_cast<std::uint32_t>(size & ~std::size_t{7})));
    header.key_bytes =
        *rc::gen::oneOf(rc::gen::arbitrary<std::int32_t>(), rc::gen::inRange(-2, 150));
    header.payload_bytes =
        *rc::gen::oneOf(rc::gen::arbitrary<std::int32_t>(), rc::gen::inRange(-2, 150));
    header.headers_bytes =
        *rc::gen::oneOf(rc::gen::arbitrary<std::uint32_t>(), rc::gen::inRange(0U, 150U));
    header.check = header_check(header);
    std::vector<std::byte> bytes(size);
    if (size != 0) std::memcpy(bytes.data(), &header, std::min(size, sizeof header));
    bytes.shrink_to_fit();

    const auto read = decode_record(bytes);

    if (!read) return;
    const std::byte* const end = bytes.data() + bytes.size();
    RC_ASSERT(read->headers.data() + read->headers.size() <= end);
    if (read->key) RC_ASSERT(read->key->data() + read->key->size() <= end);
    if (read->payload) RC_ASSERT(read->payload->data() + read->payload->size() <= end);
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace spillway::core
