// perf/common/outbox_rows.hpp: rows of spillway.outbox made without Spillway: what its writer is
// measured against, and what fills an outbox before a relay is measured.
//
// The columns and their formats are those of the schema (src/adapters/postgres/schema.sql).

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "perf/common/sql.hpp"

namespace spillway::perf {

/// What every row holds besides its number.
struct RowShape {
  std::string topic;
  std::size_t key_bytes = 16;
  std::size_t payload_bytes = 200;
};

/// A run of rows of one stream.
struct RowRun {
  std::int64_t instance = 1;
  std::int64_t first_seq = 1;
  std::size_t rows = 0;
};

/// The key that row `seq` has, padded to `bytes`.
[[nodiscard]] std::string key_of_row(std::int64_t seq, std::size_t bytes);

/// `COPY table (...) FROM STDIN`, for encode_rows().
[[nodiscard]] std::string copy_rows_sql(const std::string& table = "spillway.outbox");

/// The INSERT of one row of stream (1, 0), to be prepared: seq, topic, key, payload.
[[nodiscard]] std::string insert_row_sql();

/// All that one COPY carries.
[[nodiscard]] std::vector<std::byte> encode_rows(const RowShape& shape, const RowRun& run);

/// Rows 1 to `rows` of stream (instance, 0) in batches of 10 000; no relay sees them before
/// offer_rows().
void fill_outbox(SqlSession& sql, const RowShape& shape, std::int64_t instance, std::size_t rows,
                 const std::string& table = "spillway.outbox");

/// From here on the stream has rows through `written_through`.
void offer_rows(SqlSession& sql, std::int64_t instance, std::size_t written_through);

/// How far the relays have removed the stream's rows.
[[nodiscard]] std::int64_t relayed_through(SqlSession& sql, std::int64_t instance);

}  // namespace spillway::perf
