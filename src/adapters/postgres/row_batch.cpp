#include "adapters/postgres/row_batch.hpp"

#include <utility>

#include "adapters/postgres/sql_text.hpp"
#include "core/position.hpp"

namespace spillway::postgres {
namespace {

// A row that was started twice without being finished may be what ended its relays.
constexpr std::int64_t attempts_before_alone = 2;

ports::RelayRow read_row(const PGresult* result, int row) noexcept {
  const core::Seq renumbered_from{from_bigint(binary_int_cell(result, row, 9))};
  ports::RelayRow read{
      .seq = {from_bigint(binary_int_cell(result, row, 0))},
      .topic = binary_text_cell(result, row, 1),
      .key = maybe_bytes_cell(result, row, 2),
      .payload = maybe_bytes_cell(result, row, 3),
      .headers = bytes_cell(result, row, 4),
      .accepted_at = from_postgres_us(binary_int_cell(result, row, 5)),
      .spilled_at = from_postgres_us(binary_int_cell(result, row, 6)),
      .event_time_ms = std::nullopt,
      .resend = core::parse_resend_cause(binary_text_cell(result, row, 8))
                    .value_or(core::ResendCause::lease),
      .renumbered_from = renumbered_from,
      .send_alone =
          renumbered_from.value != 0 || binary_int_cell(result, row, 10) >= attempts_before_alone,
  };
  if (!is_null(result, row, 7)) read.event_time_ms = binary_int_cell(result, row, 7);
  return read;
}

}  // namespace

PgRowBatch::PgRowBatch(Result rows) : result_{std::move(rows)} {
  const int count = PQntuples(result_.get());
  rows_.reserve(static_cast<std::size_t>(count));
  for (int row = 0; row < count; ++row)
    rows_.push_back(read_row(result_.get(), row));
}

}  // namespace spillway::postgres
