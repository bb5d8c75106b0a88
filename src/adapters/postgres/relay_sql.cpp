#include "adapters/postgres/relay_sql.hpp"

#include <chrono>
#include <string_view>

#include "adapters/postgres/copy_binary.hpp"
#include "adapters/postgres/lock_keys.hpp"
#include "adapters/postgres/row_batch.hpp"
#include "adapters/postgres/sql_text.hpp"

namespace spillway::postgres {
namespace {

// Rows above the cursor ($3), bounded in rows ($4) and bytes ($5, at most one row more).
// octet_length of a bytea reads its header, it fetches nothing. Where the batch ends is asked
// first, of narrow rows: wide ones that passed through a window and a sort would cost five times
// the scan. Held rows are with their owner's librdkafka, and nothing overtakes them: the read ends
// before the first. That the rows were started is noted in the same transaction, so it is durable
// before the answer is complete.
constexpr std::string_view prepare_read = R"sql(
PREPARE spillway_read (bigint, integer, bigint, bigint, bigint) AS
WITH sized AS (
  SELECT o.seq, octet_length(o.topic) + coalesce(octet_length(o.key), 0)
                + coalesce(octet_length(o.payload), 0) + octet_length(o.headers) AS bytes
  FROM spillway.outbox o
  WHERE o.instance = $1 AND o.lane = $2 AND o.seq > $3 AND o.seq <= (
    SELECT CASE s.held_through WHEN 0 THEN 9223372036854775807 ELSE coalesce(
      (SELECT min(h.seq) - 1 FROM spillway.outbox h
       WHERE h.instance = $1 AND h.lane = $2 AND h.seq > $3 AND h.seq <= s.held_through
         AND h.held), 9223372036854775807) END
    FROM spillway.stream s WHERE s.instance = $1 AND s.lane = $2)
  ORDER BY o.seq LIMIT $4
), summed AS (
  SELECT seq, sum(bytes) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) - bytes AS bytes_before
  FROM sized
), last AS MATERIALIZED (
  SELECT max(seq) AS seq FROM summed WHERE bytes_before < $5
), noted AS (
  UPDATE spillway.relay_progress p SET started_through = last.seq FROM last
  WHERE p.instance = $1 AND p.lane = $2 AND p.started_through < last.seq
)
SELECT )sql";

constexpr std::string_view picked =
    " FROM spillway.outbox r WHERE r.instance = $1 AND r.lane = $2 AND r.seq > $3 "
    "AND r.seq <= (SELECT seq FROM last) ORDER BY r.seq";

std::string values_of(std::span<const core::StreamId> streams) {
  std::string values = "(VALUES ";
  for (const core::StreamId& stream : streams) {
    if (&stream != streams.data()) values += ", ";
    values += "(" + number(stream.instance.value) + ", " + std::to_string(stream.lane.value) + ")";
  }
  return values + ") AS t (instance, lane)";
}

// A range of a stream's rows, found by its ends: OFFSET 0 keeps the planner, to whom a stream has
// one row, from reading the whole stream and comparing each row with the ends.
std::string rows_between(std::string_view above, std::string_view through) {
  return "SELECT instance, lane, seq, held FROM spillway.outbox WHERE instance = p.instance AND "
         "lane = p.lane AND seq > " +
         std::string{above} + " AND seq <= " + std::string{through} + " OFFSET 0";
}

constexpr std::string_view same_row =
    "o.instance = s.instance AND o.lane = s.lane AND o.seq = s.seq";

std::string letters_cte(core::StreamId stream, core::Seq through,
                        std::span<const ports::RelayDeadLetter> dead) {
  if (dead.empty()) return {};
  std::string values;
  for (const ports::RelayDeadLetter& letter : dead) {
    if (!values.empty()) values += ", ";
    values += "(" + number(letter.seq.value) + ", " + text_literal(letter.error) + ", " +
              resend_literal(letter.resend) + ")";
  }
  return ", letters AS (INSERT INTO spillway.dead_letter (" + std::string{copy_columns} +
         ", spilled_at, attempts, error) SELECT o.instance, o.lane, o.seq, o.topic, o.key, "
         "o.payload, o.headers, o.accepted_at, o.event_time, o.held, coalesce(d.resend, o.resend), "
         "o.renumbered_from, o.spilled_at, o.attempts, d.error FROM mine, (VALUES " +
         values +
         // OFFSET 0: one look into the index for each letter. To the planner a stream has one row,
         // so a join would compare each of its rows with each letter.
         ") AS d (seq, error, resend) CROSS JOIN LATERAL (SELECT * FROM spillway.outbox WHERE " +
         where_stream(stream) +
         " AND seq = d.seq OFFSET 0) AS o WHERE o.seq > mine.relayed_through AND o.seq <= " +
         number(through.value) + " ON CONFLICT DO NOTHING)";
}

// What another holder has read and not removed. Values, not a join: bounds of the index, whatever
// the table's statistics say; most streams have no such row, and a scan would cost the whole
// backlog.
std::string mark_started_sql(core::StreamId stream, const std::string& me) {
  const auto of_another = [&](const std::string& column) {
    return "(SELECT p." + column + " FROM spillway.relay_progress p WHERE " +
           where_stream(stream, "p") + " AND p.holder <> " + me + ")";
  };
  return "UPDATE spillway.outbox o SET resend = coalesce(o.resend, 'lease'), "
         "attempts = o.attempts + 1 WHERE " +
         where_stream(stream, "o") + " AND o.seq > " + of_another("relayed_through") +
         " AND o.seq <= " + of_another("started_through") + ";\n";
}

}  // namespace

std::string relay_settings_sql(core::Duration lease_timeout) {
  const std::string lease_ms =
      std::to_string(std::chrono::ceil<std::chrono::milliseconds>(lease_timeout).count());
  return "; SET idle_session_timeout = " + lease_ms +
         "; SET idle_in_transaction_session_timeout = " + lease_ms +
         // By the primary key, always: what a table's statistics call cheaper at a plan's making
         // reads the whole backlog for a batch once the table has changed.
         "; SET plan_cache_mode = force_generic_plan"
         "; SET enable_seqscan = off; SET enable_bitmapscan = off"
         "; SET enable_hashjoin = off; SET enable_mergejoin = off;" +
         std::string{prepare_read} + std::string{batch_columns} + std::string{picked};
}

std::string look_sql(std::span<const std::uint64_t> held_keys) {
  const std::string key = lease_key_sql("s");
  return "SELECT s.instance, s.lane, s.written_through, coalesce(p.relayed_through, 0), "
         "s.held_through <> 0, s.held_through <> 0 AND EXISTS (SELECT FROM (" +
         held_locks_sql() + ") AS held WHERE held.key = " + owner_key_sql("s") +
         "), CASE WHEN s.held_through <> 0 THEN false WHEN " + key + " = ANY (" +
         array_literal(held_keys) + ") THEN true ELSE pg_catalog.pg_try_advisory_lock(" + key +
         ") END FROM spillway.stream s LEFT JOIN spillway.relay_progress p USING (instance, lane) "
         "WHERE s.written_through > coalesce(p.relayed_through, 0)";
}

std::string adopt_sql(core::InstanceId instance) {
  const std::string id = number(instance.value);
  constexpr std::string_view alone = "current_setting('spillway.alone') = 'true'";
  // The lock is taken by a statement of its own: the next one's snapshot must be younger.
  return "SELECT set_config('spillway.alone', pg_catalog.pg_try_advisory_xact_lock(" +
         number(owner_key(instance)) +
         ")::text, true);\n"
         "WITH held AS MATERIALIZED (SELECT o.instance, o.lane, o.seq FROM spillway.stream p "
         "LEFT JOIN spillway.relay_progress r USING (instance, lane) CROSS JOIN LATERAL (" +
         rows_between("coalesce(r.relayed_through, 0)", "p.held_through") + ") AS o WHERE " +
         std::string{alone} + " AND p.instance = " + id +
         " AND o.held) UPDATE spillway.outbox o SET held = false, resend = 'recovery' FROM held s "
         "WHERE " +
         std::string{same_row} + ";\n" + "UPDATE spillway.stream SET held_through = 0 WHERE " +
         std::string{alone} + " AND instance = " + id + " AND held_through <> 0 RETURNING lane";
}

std::string take_sql(std::span<const core::StreamId> streams, HolderId holder) {
  const std::string values = values_of(streams);
  const std::string me = number(holder.value);
  std::string marks;
  for (const core::StreamId& stream : streams)
    marks += mark_started_sql(stream, me);
  return marks + "WITH former AS (SELECT p.instance, p.lane, p.holder FROM " + values +
         " JOIN spillway.relay_progress p USING (instance, lane)), "
         "taken AS (INSERT INTO spillway.relay_progress AS p "
         "(instance, lane, relayed_through, started_through, holder) "
         "SELECT t.instance, t.lane, 0, 0, " +
         me + " FROM " + values +
         " ON CONFLICT (instance, lane) DO UPDATE SET holder = excluded.holder "
         "RETURNING p.instance, p.lane, p.relayed_through) "
         "SELECT k.instance, k.lane, s.written_through, k.relayed_through, "
         "f.holder IS DISTINCT FROM " +
         me +
         " FROM taken k JOIN spillway.stream s USING (instance, lane) "
         "LEFT JOIN former f USING (instance, lane) "
         "WHERE s.held_through = 0 AND s.written_through > k.relayed_through";
}

std::string finish_sql(core::StreamId stream, core::Seq through,
                       std::span<const ports::RelayDeadLetter> dead, HolderId holder) {
  const std::string end = number(through.value);
  // A lost delete is a duplicate that is marked when the rows are sent again; not waiting for the
  // disk doubles the relay's speed.
  return "SET LOCAL synchronous_commit = off;\n"
         "WITH mine AS (SELECT relayed_through FROM spillway.relay_progress WHERE " +
         where_stream(stream) + " AND holder = " + number(holder.value) + " FOR UPDATE)" +
         letters_cte(stream, through, dead) +
         // A value, not a join: a bound of the index, without which each batch would step over all
         // rows that were ever removed and that an old snapshot keeps.
         ", gone AS (DELETE FROM spillway.outbox o WHERE " + where_stream(stream, "o") +
         " AND o.seq > (SELECT relayed_through FROM mine) AND o.seq <= " + end +
         ") UPDATE spillway.relay_progress p SET relayed_through = greatest(p.relayed_through, " +
         end + ") FROM mine WHERE " + where_stream(stream, "p") + " RETURNING p.relayed_through";
}

std::string give_up_sql(core::StreamId stream) {
  return "SELECT pg_catalog.pg_advisory_unlock(" + number(lease_key(stream)) + ")";
}

}  // namespace spillway::postgres
