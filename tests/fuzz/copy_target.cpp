// Rows for COPY, and the server's reading of its binary format, written from its documentation.

#include <limits>
#include <string_view>
#include <vector>

#include "adapters/postgres/copy_binary.hpp"
#include "core/position.hpp"
#include "fuzz/input_reader.hpp"
#include "fuzz/target.hpp"
#include "spillway/envelope.hpp"

namespace spillway::fuzz {
namespace {

constexpr std::size_t rows_max = 8;

ports::OutboxRow row_of(InputReader& reader) {
  ports::OutboxRow row;
  const auto flags = reader.number<std::uint8_t>();
  row.seq = {reader.number<std::uint64_t>()};
  row.topic = reader.text();
  row.key = reader.maybe_piece();
  row.payload = reader.maybe_piece();
  row.headers = reader.piece();
  row.accepted_at = {static_cast<std::int64_t>(reader.number<std::uint64_t>())};
  if ((flags & 1U) != 0) {
    row.event_time_ms = static_cast<std::int64_t>(reader.number<std::uint64_t>());
  }
  row.held = (flags & 2U) != 0;
  row.resend = core::ResendCause{static_cast<std::uint8_t>((flags >> 2U) & 3U)};
  if ((flags & 16U) != 0) row.renumbered_from = {reader.number<std::uint64_t>()};
  return row;
}

/// A field, or nothing for null.
std::optional<Input> take_field(InputReader& copy) {
  const auto length = copy.number<std::uint32_t>();
  if (length == std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  expect(length <= copy.rest().size(), "a field's length lies in the copy");
  const Input field = copy.rest().first(length);
  copy = InputReader{copy.rest().subspan(length)};
  return field;
}

std::uint64_t take_number(InputReader& copy, std::size_t bytes) {
  const auto field = take_field(copy);
  expect(field && field->size() == bytes, "a number has its width");
  InputReader number{*field};
  return bytes == 8 ? number.number<std::uint64_t>()
                    : (bytes == 4 ? number.number<std::uint32_t>() : number.number<std::uint8_t>());
}

bool is_same(std::optional<Input> left, std::optional<Input> right) {
  if (!left || !right) return left.has_value() == right.has_value();
  return std::ranges::equal(*left, *right);
}

void expect_row(InputReader& copy, core::StreamId stream, const ports::OutboxRow& row) {
  expect(copy.number<std::uint16_t>() == 12, "a row has its fields");
  expect(take_number(copy, 8) == stream.instance.value, "instance");
  expect(take_number(copy, 4) == stream.lane.value, "lane");
  expect(take_number(copy, 8) == row.seq.value, "seq");
  expect(is_same(take_field(copy), bytes_of(row.topic)), "topic");
  expect(is_same(take_field(copy), row.key), "key");
  expect(is_same(take_field(copy), row.payload), "payload");
  expect(is_same(take_field(copy), row.headers), "headers");
  const auto us = static_cast<std::int64_t>(take_number(copy, 8));
  expect(us == row.accepted_at.ns / 1'000 - 946'684'800'000'000, "accepted_at");
  if (row.event_time_ms) {
    expect(static_cast<std::int64_t>(take_number(copy, 8)) == *row.event_time_ms, "event_time");
  } else {
    expect(!take_field(copy), "event_time");
  }
  expect(take_number(copy, 1) == (row.held ? 1U : 0U), "held");
  const auto resend = take_field(copy);
  expect(resend.has_value() == (row.resend != core::ResendCause::none), "resend");
  if (resend) expect(is_same(resend, bytes_of(core::name_of(row.resend))), "resend");
  if (row.renumbered_from.value != 0) {
    expect(take_number(copy, 8) == row.renumbered_from.value, "renumbered_from");
  } else {
    expect(!take_field(copy), "renumbered_from");
  }
}

}  // namespace

void encode_copy(Input input) {
  static postgres::CopyEncoder encoder;  // reused, as the writer does
  InputReader reader{input};
  const core::StreamId stream{.instance = {reader.number<std::uint64_t>()},
                              .lane = {reader.number<std::uint16_t>()}};
  std::vector<ports::OutboxRow> rows;
  while (rows.size() < rows_max && !reader.at_end())
    rows.push_back(row_of(reader));

  InputReader copy{encoder.encode(stream, rows)};
  constexpr std::string_view signature{"PGCOPY\n\377\r\n\0", 11};
  for (const char expected : signature)
    expect(copy.number<std::uint8_t>() == static_cast<unsigned char>(expected), "signature");
  expect(copy.number<std::uint64_t>() == 0, "no flags, no extension");
  for (const ports::OutboxRow& row : rows)
    expect_row(copy, stream, row);
  expect(copy.number<std::uint16_t>() == 0xFFFF && copy.at_end(), "a trailer ends it");
}

}  // namespace spillway::fuzz
