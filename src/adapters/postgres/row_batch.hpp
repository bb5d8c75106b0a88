// src/adapters/postgres/row_batch.hpp: rows as they came from the server; nothing is copied.

#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "adapters/postgres/handles.hpp"
#include "ports/relay_store.hpp"

namespace spillway::postgres {

/// The columns that PgRowBatch reads, in its order, with the alias `r`.
inline constexpr std::string_view batch_columns =
    "r.seq, r.topic, r.key, r.payload, r.headers, r.accepted_at, r.spilled_at, r.event_time, "
    "r.resend, r.renumbered_from, r.attempts";

class PgRowBatch final : public ports::RowBatch {
 public:
  /// `rows` is a binary result of `batch_columns`.
  explicit PgRowBatch(Result rows);
  [[nodiscard]] std::span<const ports::RelayRow> rows() const noexcept override { return rows_; }

 private:
  Result result_;  // `rows_` points into it
  std::vector<ports::RelayRow> rows_;
};

}  // namespace spillway::postgres
