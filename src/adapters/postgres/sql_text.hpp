// src/adapters/postgres/sql_text.hpp: values as SQL literals, and cells of a result as values.
//
// For statements that are rare, or that carry numbers only: rows in bulk go through copy_binary.
// Literals need standard_conforming_strings, which each session sets.

#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "adapters/postgres/handles.hpp"
#include "core/ids.hpp"
#include "core/time.hpp"
#include "ports/broker.hpp"

namespace spillway::postgres {

/// Microseconds from 1970 to 2000-01-01, where PostgreSQL's timestamps begin.
inline constexpr std::int64_t postgres_epoch_us = 946'684'800'000'000;

/// PostgreSQL has no unsigned numbers: the bigint with the same bits.
[[nodiscard]] constexpr std::int64_t as_bigint(std::uint64_t value) noexcept {
  return std::bit_cast<std::int64_t>(value);
}
[[nodiscard]] constexpr std::uint64_t from_bigint(std::int64_t value) noexcept {
  return std::bit_cast<std::uint64_t>(value);
}
[[nodiscard]] constexpr std::int64_t to_postgres_us(core::UnixTime time) noexcept {
  return time.ns / 1'000 - postgres_epoch_us;
}
[[nodiscard]] constexpr core::UnixTime from_postgres_us(std::int64_t us) noexcept {
  // A timestamp may be infinite, or of a year that nanoseconds do not reach.
  using Limits = std::numeric_limits<std::int64_t>;
  constexpr std::int64_t us_min = Limits::min() / 1'000 - postgres_epoch_us;
  constexpr std::int64_t us_max = Limits::max() / 1'000 - postgres_epoch_us;
  return core::UnixTime{(std::clamp(us, us_min, us_max) + postgres_epoch_us) * 1'000};
}

/// `instance = … AND lane = …` of one stream; with an alias, of that table.
[[nodiscard]] std::string where_stream(core::StreamId stream, std::string_view alias = {});

[[nodiscard]] std::string number(std::int64_t value);
[[nodiscard]] std::string number(std::uint64_t value);  ///< As the bigint with the same bits.
[[nodiscard]] std::string bytea_literal(ports::Bytes bytes);
/// What is not printable ASCII becomes '?': an error's text must never be a reason to fail.
[[nodiscard]] std::string text_literal(std::string_view text);
/// The name of the cause; NULL for none.
[[nodiscard]] std::string resend_literal(core::ResendCause cause);
/// '{1,2,3}'::bigint[]
[[nodiscard]] std::string array_literal(std::span<const std::uint64_t> values);
[[nodiscard]] std::string timestamp_literal(core::UnixTime time);

/// Cells of a text result; 0 or false for null. The column must hold what is asked for.
[[nodiscard]] std::int64_t int_cell(const PGresult* result, int row, int column) noexcept;
[[nodiscard]] bool bool_cell(const PGresult* result, int row, int column) noexcept;

/// Cells of a binary result.
[[nodiscard]] bool is_null(const PGresult* result, int row, int column) noexcept;
[[nodiscard]] ports::Bytes bytes_cell(const PGresult* result, int row, int column) noexcept;
/// Nothing for null.
[[nodiscard]] std::optional<ports::Bytes> maybe_bytes_cell(const PGresult* result, int row,
                                                           int column) noexcept;
/// A bool, int4, int8 or timestamptz; 0 for null.
[[nodiscard]] std::int64_t binary_int_cell(const PGresult* result, int row, int column) noexcept;
[[nodiscard]] std::string_view binary_text_cell(const PGresult* result, int row,
                                                int column) noexcept;

}  // namespace spillway::postgres
