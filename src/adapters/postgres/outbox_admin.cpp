#include "adapters/postgres/outbox_admin.hpp"

#include <string_view>
#include <utility>

#include <poll.h>

#include "adapters/postgres/error_kinds.hpp"
#include "adapters/postgres/lock_keys.hpp"
#include "adapters/postgres/schema_sql.hpp"
#include "adapters/postgres/sql_text.hpp"
#include "core/check.hpp"
#include "spillway/error.hpp"

namespace spillway::postgres {
namespace {

constexpr int text_format = 0;
constexpr int binary_format = 1;

constexpr std::string_view record_columns =
    "SELECT instance, lane, seq, topic, key, payload, headers, accepted_at, event_time, held, "
    "coalesce(resend, ''), attempts, ";
constexpr std::string_view from_outbox = "spilled_at, ''::text FROM spillway.outbox ";
constexpr std::string_view from_dead_letter = "failed_at, error FROM spillway.dead_letter ";

// Ends a transaction that only read, however its scope is left.
class ReadTransaction {
 public:
  explicit ReadTransaction(PGconn* connection) noexcept : connection_{connection} {}
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;
  ~ReadTransaction() { const Result ended{PQexec(connection_, "ROLLBACK")}; }

 private:
  PGconn* connection_;
};

std::string text_of(ports::Bytes bytes) {
  // Bytes may be looked at as characters.
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::optional<std::string> maybe_text_cell(const PGresult* rows, int row, int column) {
  if (is_null(rows, row, column)) return std::nullopt;
  return text_of(bytes_cell(rows, row, column));
}

AdminRecord read_record(const PGresult* rows, int row) {
  AdminRecord record;
  record.stream = {.instance = {from_bigint(binary_int_cell(rows, row, 0))},
                   .lane = {static_cast<std::uint16_t>(binary_int_cell(rows, row, 1))}};
  record.seq = {from_bigint(binary_int_cell(rows, row, 2))};
  record.topic = text_of(bytes_cell(rows, row, 3));
  record.key = maybe_text_cell(rows, row, 4);
  record.payload = maybe_text_cell(rows, row, 5);
  record.headers = text_of(bytes_cell(rows, row, 6));
  record.accepted_at = from_postgres_us(binary_int_cell(rows, row, 7));
  if (!is_null(rows, row, 8)) record.event_time_ms = binary_int_cell(rows, row, 8);
  record.held = binary_int_cell(rows, row, 9) != 0;
  record.resend = binary_text_cell(rows, row, 10);
  record.attempts = static_cast<std::uint32_t>(binary_int_cell(rows, row, 11));
  record.stored_at = from_postgres_us(binary_int_cell(rows, row, 12));
  record.error = binary_text_cell(rows, row, 13);
  return record;
}

std::string where_record(core::StreamId stream, core::Seq seq) {
  return "WHERE " + where_stream(stream) + " AND seq = " + number(seq.value);
}

bool wait_for(PGconn* connection, PostgresPollingStatusType wanted,
              std::chrono::steady_clock::time_point deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  if (left.count() <= 0) return false;
  pollfd entry{.fd = PQsocket(connection), .events = 0, .revents = 0};
  entry.events = wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT;
  return ::poll(&entry, 1, static_cast<int>(left.count())) > 0;
}

}  // namespace

OutboxAdmin::OutboxAdmin(const std::string& conninfo, const std::string& password,
                         std::chrono::milliseconds connect_within)
    : parameters_{connect_parameters(conninfo, password, "spillway")},
      connection_{start_connection(parameters_)} {
  SPILLWAY_CHECK(connection_ != nullptr);  // null: no memory
  const auto deadline = std::chrono::steady_clock::now() + connect_within;
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (wanted != PGRES_POLLING_OK && wanted != PGRES_POLLING_FAILED) {
    if (PQstatus(connection_.get()) == CONNECTION_BAD) break;
    if (!wait_for(connection_.get(), wanted, deadline)) {
      throw StartError{"postgres at " + parameters_.server + ": no connection within " +
                       std::to_string(connect_within.count()) +
                       " ms; see postgres.conninfo and postgres.connect_within"};
    }
    wanted = PQconnectPoll(connection_.get());
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    throw StartError{"postgres at " + parameters_.server + ": " +
                     on_one_line(PQerrorMessage(connection_.get())) +
                     "; see postgres.conninfo and postgres.password_file"};
  }
  run("SET standard_conforming_strings = on", text_format);
}

Result OutboxAdmin::run(const std::string& sql, int result_format) {
  // PQexecParams takes one statement only; the schema is many.
  Result result{result_format == text_format
                    ? PQexec(connection_.get(), sql.c_str())
                    : PQexecParams(connection_.get(), sql.c_str(), 0, nullptr, nullptr, nullptr,
                                   nullptr, result_format)};
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return result;
  throw StartError{"postgres at " + parameters_.server + ": " + describe(result.get())};
}

void OutboxAdmin::apply_schema() {
  run(std::string{schema_text()}, text_format);
}

std::vector<AdminStream> OutboxAdmin::streams() {
  const Result rows = run(
      "WITH locks AS MATERIALIZED (" + held_locks_sql() +
          ") SELECT s.instance, s.lane, s.written_through, coalesce(p.relayed_through, 0), "
          "count(o.seq), count(*) FILTER (WHERE o.held), min(o.accepted_at), "
          "EXISTS (SELECT FROM locks WHERE key = " +
          owner_key_sql("s") + "), EXISTS (SELECT FROM locks WHERE key = " + lease_key_sql("s") +
          ") FROM spillway.stream s LEFT JOIN spillway.relay_progress p USING (instance, lane) "
          "LEFT JOIN spillway.outbox o USING (instance, lane) "
          "GROUP BY s.instance, s.lane, s.written_through, p.relayed_through "
          "ORDER BY s.instance, s.lane",
      binary_format);
  std::vector<AdminStream> streams;
  for (int row = 0; row < PQntuples(rows.get()); ++row) {
    AdminStream& stream = streams.emplace_back();
    stream.id = {.instance = {from_bigint(binary_int_cell(rows.get(), row, 0))},
                 .lane = {static_cast<std::uint16_t>(binary_int_cell(rows.get(), row, 1))}};
    stream.written_through = {from_bigint(binary_int_cell(rows.get(), row, 2))};
    stream.relayed_through = {from_bigint(binary_int_cell(rows.get(), row, 3))};
    stream.rows = from_bigint(binary_int_cell(rows.get(), row, 4));
    stream.held = from_bigint(binary_int_cell(rows.get(), row, 5));
    if (!is_null(rows.get(), row, 6)) {
      stream.oldest = from_postgres_us(binary_int_cell(rows.get(), row, 6));
    }
    stream.owner_alive = binary_int_cell(rows.get(), row, 7) != 0;
    stream.leased = binary_int_cell(rows.get(), row, 8) != 0;
  }
  return streams;
}

void OutboxAdmin::for_each_row(std::size_t limit,
                               const std::function<void(const AdminRecord&)>& visit) {
  for_each(std::string{record_columns} + std::string{from_outbox} +
               "ORDER BY instance, lane, seq LIMIT " + number(limit),
           visit);
}

void OutboxAdmin::for_each_dead_letter(std::size_t limit,
                                       const std::function<void(const AdminRecord&)>& visit) {
  for_each(std::string{record_columns} + std::string{from_dead_letter} +
               "ORDER BY failed_at, instance, lane, seq LIMIT " + number(limit),
           visit);
}

void OutboxAdmin::for_each(const std::string& query,
                           const std::function<void(const AdminRecord&)>& visit) {
  const ReadTransaction transaction{connection_.get()};
  run("BEGIN READ ONLY; DECLARE records NO SCROLL CURSOR FOR " + query, text_format);
  while (true) {
    const Result rows = run("FETCH FORWARD 500 FROM records", binary_format);
    const int count = PQntuples(rows.get());
    if (count == 0) return;
    for (int row = 0; row < count; ++row)
      visit(read_record(rows.get(), row));
  }
}

std::optional<AdminRecord> OutboxAdmin::find(core::StreamId stream, core::Seq seq) {
  for (const std::string_view table : {from_outbox, from_dead_letter}) {
    const Result rows =
        run(std::string{record_columns} + std::string{table} + where_record(stream, seq),
            binary_format);
    if (PQntuples(rows.get()) > 0) return read_record(rows.get(), 0);
  }
  return std::nullopt;
}

bool OutboxAdmin::remove_dead_letter(core::StreamId stream, core::Seq seq) {
  const Result removed =
      run("DELETE FROM spillway.dead_letter " + where_record(stream, seq), text_format);
  return std::string_view{PQcmdTuples(removed.get())} != "0";
}

}  // namespace spillway::postgres
