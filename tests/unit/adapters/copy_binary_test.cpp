// tests/unit/adapters/copy_binary_test.cpp: COPY's binary format, byte by byte.

#include "adapters/postgres/copy_binary.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "spillway/envelope.hpp"

namespace spillway::postgres {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr core::StreamId stream{.instance = {0x0102'0304'0506'0708}, .lane = {3}};
const std::string begin = "PGCOPY\n\xFF\r\n\0"s + "\0\0\0\0"s + "\0\0\0\0"s;
const std::string end = "\xFF\xFF"s;
const std::string null = "\xFF\xFF\xFF\xFF"s;
const std::string lane = "\0\0\0\4\0\0\0\3"s;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string int8(std::string_view bytes) {
  return "\0\0\0\x08"s + std::string{bytes};
}

TEST(CopyBinary, WritesEveryField) {
  const ports::OutboxRow row{.seq = {0x0A0B},
                             .topic = "to",
                             .key = bytes_of("k"),
                             .payload = bytes_of("\0p"sv),
                             .headers = bytes_of("hdr"),
                             .accepted_at = {946'684'800'000'001'999},  // 1 us after 2000-01-01
                             .event_time_ms = -1,
                             .held = true,
                             .resend = core::ResendCause::fatal,
                             .renumbered_from = {9}};
  CopyEncoder encoder;

  EXPECT_EQ(text_of(encoder.encode(stream, std::array{row})),
            begin + "\0\x0C"s + int8("\1\2\3\4\5\6\7\x08"sv) + lane +
                int8("\0\0\0\0\0\0\x0A\x0B"sv) + "\0\0\0\2to"s + "\0\0\0\1k"s + "\0\0\0\2\0p"s +
                "\0\0\0\3hdr"s + int8("\0\0\0\0\0\0\0\1"sv) +
                int8("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"sv) + "\0\0\0\1\1"s + "\0\0\0\5fatal"s +
                int8("\0\0\0\0\0\0\0\x09"sv) + end);
}

TEST(CopyBinary, TellsNullFromEmpty) {
  ports::OutboxRow nulls;
  nulls.seq = {1};
  nulls.accepted_at = {946'684'800'000'000'000};
  ports::OutboxRow empties = nulls;
  empties.key = ports::Bytes{};
  empties.payload = ports::Bytes{};
  const std::string head =
      "\0\x0C"s + int8("\1\2\3\4\5\6\7\x08"sv) + lane + int8("\0\0\0\0\0\0\0\1"sv) + "\0\0\0\0"s;
  const std::string tail =
      "\0\0\0\0"s + int8("\0\0\0\0\0\0\0\0"sv) + null + "\0\0\0\1\0"s + null + null;
  CopyEncoder encoder;

  EXPECT_EQ(text_of(encoder.encode(stream, std::array{nulls, empties})),
            begin + head + null + null + tail + head + "\0\0\0\0\0\0\0\0"s + tail + end);
}

TEST(CopyBinary, ForgetsALargerBatchBefore) {
  ports::OutboxRow row;
  row.seq = {1};
  CopyEncoder used;
  const std::string payload(10'000, 'x');
  ports::OutboxRow large = row;
  large.payload = bytes_of(payload);
  EXPECT_GT(used.encode(stream, std::array{large, large}).size(), 20'000U);
  CopyEncoder fresh;

  EXPECT_EQ(text_of(used.encode(stream, std::array{row})),
            text_of(fresh.encode(stream, std::array{row})));
}

}  // namespace
}  // namespace spillway::postgres
