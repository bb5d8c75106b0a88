#include "adapters/postgres/sql_text.hpp"

#include <charconv>

#include "core/position.hpp"

namespace spillway::postgres {

std::string where_stream(core::StreamId stream, std::string_view alias) {
  std::string prefix{alias};
  if (!prefix.empty()) prefix += '.';
  return prefix + "instance = " + number(stream.instance.value) + " AND " + prefix +
         "lane = " + std::to_string(stream.lane.value);
}

std::string number(std::int64_t value) {
  // Quoted: -9223372036854775808 without quotes is a minus before a number that is too large.
  return "'" + std::to_string(value) + "'::bigint";
}

std::string number(std::uint64_t value) {
  return number(as_bigint(value));
}

std::string bytea_literal(ports::Bytes bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string literal;
  literal.reserve(bytes.size() * 2 + 12);
  literal += "'\\x";
  for (const std::byte byte : bytes) {
    literal += digits[std::to_integer<unsigned>(byte) >> 4U];
    literal += digits[std::to_integer<unsigned>(byte) & 0xFU];
  }
  literal += "'::bytea";
  return literal;
}

std::string text_literal(std::string_view text) {
  std::string literal = "'";
  for (const char character : text) {
    const bool is_printable = character >= ' ' && character <= '~';
    literal += is_printable ? character : '?';
    if (character == '\'') literal += '\'';
  }
  return literal + "'::text";
}

std::string resend_literal(core::ResendCause cause) {
  return cause == core::ResendCause::none ? "NULL::text" : text_literal(core::name_of(cause));
}

std::string array_literal(std::span<const std::uint64_t> values) {
  std::string literal = "'{";
  for (const std::uint64_t value : values) {
    if (literal.size() > 2) literal += ',';
    literal += std::to_string(as_bigint(value));
  }
  return literal + "}'::bigint[]";
}

std::string timestamp_literal(core::UnixTime time) {
  return "(timestamptz '2000-01-01 00:00:00+00' + interval '1 microsecond' * " +
         number(to_postgres_us(time)) + ")";
}

std::int64_t int_cell(const PGresult* result, int row, int column) noexcept {
  const char* text = PQgetvalue(result, row, column);
  std::int64_t value = 0;
  std::from_chars(text, text + PQgetlength(result, row, column), value);
  return value;
}

bool bool_cell(const PGresult* result, int row, int column) noexcept {
  return *PQgetvalue(result, row, column) == 't';
}

bool is_null(const PGresult* result, int row, int column) noexcept {
  return PQgetisnull(result, row, column) == 1;
}

ports::Bytes bytes_cell(const PGresult* result, int row, int column) noexcept {
  return std::as_bytes(std::span{PQgetvalue(result, row, column),
                                 static_cast<std::size_t>(PQgetlength(result, row, column))});
}

std::optional<ports::Bytes> maybe_bytes_cell(const PGresult* result, int row, int column) noexcept {
  if (is_null(result, row, column)) return std::nullopt;
  return bytes_cell(result, row, column);
}

std::int64_t binary_int_cell(const PGresult* result, int row, int column) noexcept {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes_cell(result, row, column)) {
    value = (value << 8U) | std::to_integer<std::uint64_t>(byte);
  }
  if (PQgetlength(result, row, column) == sizeof(std::int32_t)) {
    return std::bit_cast<std::int32_t>(static_cast<std::uint32_t>(value));
  }
  return as_bigint(value);
}

std::string_view binary_text_cell(const PGresult* result, int row, int column) noexcept {
  return {PQgetvalue(result, row, column),
          static_cast<std::size_t>(PQgetlength(result, row, column))};
}

}  // namespace spillway::postgres
