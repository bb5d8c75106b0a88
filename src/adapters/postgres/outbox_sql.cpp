#include "adapters/postgres/outbox_sql.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "adapters/postgres/copy_binary.hpp"
#include "adapters/postgres/lock_keys.hpp"
#include "adapters/postgres/sql_text.hpp"
#include "core/position.hpp"
#include "spillway/envelope.hpp"

namespace spillway::postgres {
namespace {

std::string milliseconds(core::Duration duration) {
  return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

std::string stream_values(core::StreamId stream) {
  return number(stream.instance.value) + ", " + std::to_string(stream.lane.value);
}

std::string nullable(const std::optional<ports::Bytes>& bytes) {
  return bytes ? bytea_literal(*bytes) : "NULL::bytea";
}

std::string letter_values(core::StreamId stream, const ports::DeadLetterRow& letter) {
  const ports::OutboxRow& row = letter.row;
  return "(" + stream_values(stream) + ", " + number(row.seq.value) + ", " +
         bytea_literal(bytes_of(row.topic)) + ", " + nullable(row.key) + ", " +
         nullable(row.payload) + ", " + bytea_literal(row.headers) + ", " +
         timestamp_literal(row.accepted_at) + ", " +
         (row.event_time_ms ? number(*row.event_time_ms) : "NULL::bigint") + ", " +
         (row.held ? "true" : "false") + ", " + resend_literal(row.resend) + ", " +
         (row.renumbered_from.value != 0 ? number(row.renumbered_from.value) : "NULL::bigint") +
         ", " + text_literal(letter.error) + ")";
}

// Held rows are above it, and below it may be index entries of many rows long deleted.
std::string above_relayed(core::StreamId stream) {
  return " AND seq > coalesce((SELECT relayed_through FROM spillway.relay_progress WHERE " +
         where_stream(stream) + "), 0)";
}

// Those that become ordinary rows: one statement for each mark.
void append_ordinary(std::string& sql, core::StreamId stream,
                     std::span<const ports::Unfinished> unfinished) {
  using enum core::ResendCause;
  for (const core::ResendCause cause : {none, fatal, recovery, lease}) {
    std::vector<std::uint64_t> seqs;
    for (const ports::Unfinished& row : unfinished) {
      if (row.dead_letter_error == nullptr && row.resend == cause) seqs.push_back(row.seq.value);
    }
    if (seqs.empty()) continue;
    sql += "UPDATE spillway.outbox SET held = false, attempts = 0";
    if (cause != none) sql += ", resend = " + text_literal(core::name_of(cause));
    sql += " WHERE " + where_stream(stream) + " AND seq = ANY (" + array_literal(seqs) +
           ") AND held;\n";
  }
}

void append_letters(std::string& sql, core::StreamId stream,
                    std::span<const ports::Unfinished> unfinished) {
  std::string values;
  for (const ports::Unfinished& row : unfinished) {
    if (row.dead_letter_error == nullptr) continue;
    if (!values.empty()) values += ", ";
    values += "(" + number(row.seq.value) + ", " + text_literal(row.dead_letter_error) + ")";
  }
  if (values.empty()) return;
  // Only copied: the DELETE of the held rows follows.
  sql +=
      "INSERT INTO spillway.dead_letter (" + std::string{copy_columns} +
      ", spilled_at, attempts, error) SELECT o.instance, o.lane, o.seq, o.topic, o.key, o.payload, "
      "o.headers, o.accepted_at, o.event_time, false, o.resend, o.renumbered_from, o.spilled_at, "
      "o.attempts, d.error FROM spillway.outbox o JOIN (VALUES " +
      values + ") AS d (seq, error) ON o.seq = d.seq WHERE " + where_stream(stream, "o") +
      " AND o.held ON CONFLICT DO NOTHING;\n";
}

}  // namespace

std::string session_settings_sql(core::Duration statement_within, core::Duration tcp_user_timeout) {
  return
      // The owner's lock and a relay's leases end with the session: the server must see a vanished
      // host.
      "SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3;"
      "SET tcp_user_timeout = " +
      milliseconds(tcp_user_timeout) +
      ";"
      "SET statement_timeout = " +
      milliseconds(statement_within) +
      ";"
      "SET lock_timeout = 0; SET idle_session_timeout = 0;"
      "SET idle_in_transaction_session_timeout = " +
      milliseconds(statement_within) +
      ";"
      "SET client_min_messages = warning; SET standard_conforming_strings = on;"
      "SET default_transaction_isolation = 'read committed';"
      // A table that was empty when it was analyzed looks small to the planner for ever; all of
      // ours are read through their keys.
      "SET enable_seqscan = off; SET enable_bitmapscan = off;"
      "SELECT set_config('synchronous_commit', 'on', false)"
      " WHERE current_setting('synchronous_commit') IN ('off', 'local');"
      "SELECT pg_catalog.pg_is_in_recovery()";
}

std::string take_owner_lock_sql(core::InstanceId instance) {
  return "SELECT pg_catalog.pg_try_advisory_lock(" + number(owner_key(instance)) + ")";
}

std::string end_owner_sql(core::InstanceId instance) {
  return "SELECT pid, pg_catalog.pg_terminate_backend(pid) FROM (" + held_locks_sql() +
         ") AS held WHERE key = " + number(owner_key(instance)) + " AND pid <> pg_backend_pid()";
}

std::string streams_sql(core::InstanceId instance) {
  return "SELECT s.lane, s.written_through, s.held_through, coalesce(p.relayed_through, 0) "
         "FROM spillway.stream s LEFT JOIN spillway.relay_progress p USING (instance, lane) "
         "WHERE s.instance = " +
         number(instance.value) + " ORDER BY s.lane";
}

std::string write_rows_sql(core::StreamId stream, std::span<const ports::OutboxRow> rows) {
  core::Seq held_through;
  for (const ports::OutboxRow& row : rows) {
    if (row.held) held_through = row.seq;
  }
  return "INSERT INTO spillway.stream AS s (instance, lane, written_through, held_through) VALUES "
         "(" +
         stream_values(stream) + ", " + number(rows.back().seq.value) + ", " +
         number(held_through.value) +
         ") ON CONFLICT (instance, lane) DO UPDATE SET "
         "written_through = greatest(s.written_through, excluded.written_through), "
         "held_through = greatest(s.held_through, excluded.held_through);\n"
         "COPY spillway.outbox (" +
         std::string{copy_columns} + ") FROM STDIN (FORMAT binary)";
}

std::string write_dead_letters_sql(core::StreamId stream,
                                   std::span<const ports::DeadLetterRow> letters) {
  std::string sql =
      "INSERT INTO spillway.dead_letter (" + std::string{copy_columns} + ", error) VALUES ";
  for (const ports::DeadLetterRow& letter : letters) {
    if (&letter != letters.data()) sql += ", ";
    sql += letter_values(stream, letter);
  }
  return sql + " ON CONFLICT DO NOTHING";
}

std::string release_sql(core::StreamId stream, core::Seq held_through,
                        std::span<const ports::Unfinished> unfinished) {
  std::string sql;
  append_ordinary(sql, stream, unfinished);
  append_letters(sql, stream, unfinished);
  const std::string through = number(held_through.value);
  sql += "DELETE FROM spillway.outbox WHERE " + where_stream(stream) + above_relayed(stream) +
         " AND seq <= " + through + " AND held;\n";
  // Rows held above it were not spoken of: the stream stays held for their sake.
  sql += "UPDATE spillway.stream SET held_through = 0 WHERE " + where_stream(stream) +
         " AND held_through <= " + through;
  return sql;
}

std::string release_unknown_sql(core::StreamId stream) {
  return "UPDATE spillway.outbox SET held = false, attempts = 0, resend = 'recovery' WHERE " +
         where_stream(stream) + above_relayed(stream) +
         " AND seq <= (SELECT held_through FROM spillway.stream WHERE " + where_stream(stream) +
         ") AND held;\n"
         "UPDATE spillway.stream SET held_through = 0 WHERE " +
         where_stream(stream);
}

}  // namespace spillway::postgres
