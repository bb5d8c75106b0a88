// tools/verify/outbox_source.cpp: outbox and dead letters, from one snapshot, row by row.

#include <array>
#include <memory>
#include <optional>

#include <libpq-fe.h>

#include "verify/sources.hpp"

namespace spillway::verify {
namespace {

template <auto release>
struct ReleasedBy {
  void operator()(auto* handle) const noexcept { release(handle); }
};
using Session = std::unique_ptr<PGconn, ReleasedBy<PQfinish>>;
using Result = std::unique_ptr<PGresult, ReleasedBy<PQclear>>;

constexpr int binary = 1;

std::string without_newlines(std::string text) {
  for (char& c : text)
    c = c == '\n' ? ' ' : c;
  while (!text.empty() && text.back() == ' ')
    text.pop_back();
  return text;
}

[[noreturn]] void fail(PGconn& session, const PGresult* result) {
  const char* const state =
      result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string_view code = state == nullptr ? "" : state;
  if (code == "42P01" || code == "3F000" || code == "42703") {
    throw SourceError{
        "Postgres has no outbox as this version knows it; `spillway schema --apply` makes it"};
  }
  throw SourceError{"Postgres: " + without_newlines(PQerrorMessage(&session))};
}

Session connect(const PostgresAddress& address) {
  const std::string seconds = std::to_string(address.connect_within.count());
  // The later entry wins, so an empty password must not be given at all.
  const std::array<const char*, 5> names{"dbname", "connect_timeout", "application_name",
                                         address.password.empty() ? nullptr : "password", nullptr};
  const std::array<const char*, 5> values{address.conninfo.c_str(), seconds.c_str(),
                                          "spillway-verify", address.password.c_str(), nullptr};
  constexpr int expand_dbname = 1;
  Session session{PQconnectdbParams(names.data(), values.data(), expand_dbname)};
  if (!session) throw SourceError{"Postgres: out of memory"};
  if (PQstatus(session.get()) != CONNECTION_OK) fail(*session, nullptr);
  return session;
}

void run(PGconn& session, const char* statement) {
  const Result result{PQexec(&session, statement)};
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) fail(session, result.get());
}

// A column of a row in binary format.
std::optional<Bytes> bytes_at(const PGresult& row, int column) noexcept {
  if (PQgetisnull(&row, 0, column) != 0) return std::nullopt;
  const char* const value = PQgetvalue(&row, 0, column);
  return bytes_of({value, static_cast<std::size_t>(PQgetlength(&row, 0, column))});
}

std::uint64_t number_at(const PGresult& row, int column) noexcept {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes_at(row, column).value_or(Bytes{})) {
    value = (value << 8U) | std::to_integer<std::uint64_t>(byte);
  }
  return value;
}

// Columns as in the statements below.
void visit_row(const PGresult& row, const VisitStored& visit) {
  const StoredRecord stored{.position = {.instance = number_at(row, 0),
                                         .lane = static_cast<std::uint16_t>(number_at(row, 1)),
                                         .seq = number_at(row, 2)},
                            .held = number_at(row, 3) != 0,
                            .marked = number_at(row, 4) != 0,
                            .renumbered_from = number_at(row, 5)};
  RecordReader record{bytes_at(row, 6), bytes_at(row, 7)};
  if (!record.take_header_block(bytes_at(row, 8).value_or(Bytes{}))) {
    throw SourceError{"the headers of " + text_of(stored.position) + " in Postgres are malformed"};
  }
  visit(stored, record);
}

void visit_all(PGconn& session, const char* statement, const std::string& topic,
               const VisitStored& visit) {
  const char* const value = topic.data();
  const int length = static_cast<int>(topic.size());
  if (PQsendQueryParams(&session, statement, 1, nullptr, &value, &length, &binary, binary) == 0 ||
      PQsetSingleRowMode(&session) == 0) {
    fail(session, nullptr);
  }
  while (const Result result{PQgetResult(&session)}) {
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_SINGLE_TUPLE) {
      visit_row(*result, visit);
    } else if (status != PGRES_TUPLES_OK) {
      fail(session, result.get());
    }
  }
}

}  // namespace

void read_outbox(const PostgresAddress& address, const std::string& topic, const VisitStored& row,
                 const VisitStored& dead_letter) {
  const Session session = connect(address);
  run(*session, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  visit_all(*session,
            "SELECT instance, lane, seq, held, resend IS NOT NULL, coalesce(renumbered_from, 0), "
            "key, payload, headers FROM spillway.outbox WHERE topic = $1::bytea",
            topic, row);
  visit_all(*session,
            "SELECT instance, lane, seq, held, resend IS NOT NULL, coalesce(renumbered_from, 0), "
            "key, payload, headers FROM spillway.dead_letter WHERE topic = $1::bytea",
            topic, dead_letter);
  run(*session, "COMMIT");
}

}  // namespace spillway::verify
