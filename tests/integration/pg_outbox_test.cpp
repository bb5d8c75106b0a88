// tests/integration/pg_outbox_test.cpp: the owner's side of the outbox on a real server.

#include "adapters/postgres/pg_outbox.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "adapters/postgres/lock_keys.hpp"
#include "adapters/postgres/schema_sql.hpp"
#include "spillway/envelope.hpp"
#include "support/database.hpp"
#include "support/driving.hpp"
#include "support/recording_log.hpp"

namespace spillway::postgres {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using core::LaneIndex;
using core::ResendCause;
using core::Seq;
using ports::OutboxRow;
using ports::StoreEvent;
using ports::StoreEventKind;
using ports::Unfinished;
using testing::next_event;

// Its highest bit is set: as a bigint it is negative.
constexpr core::InstanceId instance{0xFEDC'BA98'7654'3210};
constexpr LaneIndex lane{3};

class PgOutboxOnServer : public ::testing::Test {
 protected:
  PgOutboxOnServer() { sql_.run(std::string{schema_text()}); }

  [[nodiscard]] PgOutboxSettings settings(std::string_view more = {}) const {
    PgOutboxSettings settings;
    settings.conninfo = database_.conninfo(more);
    settings.instance = instance;
    return settings;
  }

  static void connect(PgOutbox& outbox) {
    ASSERT_EQ(next_event(outbox).kind, StoreEventKind::connected);
  }

  static std::vector<OutboxRow> rows(std::uint64_t from, std::uint64_t through, bool held = false) {
    std::vector<OutboxRow> made;
    for (std::uint64_t seq = from; seq <= through; ++seq) {
      OutboxRow row;
      row.seq = {seq};
      row.topic = "orders";
      row.payload = bytes_of("a payload");
      row.held = held;
      made.push_back(row);
    }
    return made;
  }

  std::string count(std::string_view where = "true") {
    return sql_.value("SELECT count(*) FROM spillway.outbox WHERE " + std::string{where});
  }
  std::string marks() {
    return sql_.value("SELECT written_through || ' ' || held_through FROM spillway.stream");
  }
  void end_writer() {
    sql_.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'spillway-writer' AND datname = current_database()");
  }
  // The next INSERT into the outbox fails so.
  void fail_inserts_with(const std::string& sqlstate) {
    sql_.run(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'made up' USING ERRCODE = '" +
        sqlstate +
        "'; END $$;"
        "CREATE TRIGGER fail BEFORE INSERT ON spillway.outbox FOR EACH STATEMENT "
        "EXECUTE FUNCTION fail()");
  }
  StoreEventKind write(PgOutbox& outbox, std::span<const OutboxRow> written) {
    outbox.write_rows(lane, written);
    return next_event(outbox).kind;
  }

  testing::TestDatabase database_;
  testing::SqlSession sql_ = database_.session();
  testing::RecordingLog log_;
};

TEST_F(PgOutboxOnServer, StoresRowsToTheByte) {
  PgOutbox outbox{settings(), log_};
  connect(outbox);
  const OutboxRow full{.seq = {7},
                       .topic = "t\0\xFF"sv,
                       .key = bytes_of("k\0"sv),
                       .payload = bytes_of("p\0\xFEq"sv),
                       .headers = bytes_of("hh"),
                       .accepted_at = {1'700'000'000'123'456'000},
                       .event_time_ms = -5,
                       .held = true,
                       .resend = ResendCause::recovery,
                       .renumbered_from = {4}};
  OutboxRow bare;
  bare.seq = {8};
  bare.topic = "t";
  OutboxRow empty = bare;
  empty.seq = {9};
  empty.key = ports::Bytes{};
  empty.payload = ports::Bytes{};

  EXPECT_EQ(write(outbox, std::array{full, bare, empty}), StoreEventKind::committed);

  const auto stored = sql_.rows(
      "SELECT instance, lane, seq, topic, key, payload, headers, accepted_at AT TIME ZONE 'UTC', "
      "event_time, held, resend, renumbered_from, attempts FROM spillway.outbox ORDER BY seq");
  using Cells = std::vector<std::string>;
  ASSERT_EQ(stored.size(), 3U);
  EXPECT_EQ(stored[0],
            (Cells{"-81985529216486896", "3", "7", "\\x7400ff", "\\x6b00", "\\x7000fe71", "\\x6868",
                   "2023-11-14 22:13:20.123456", "-5", "t", "recovery", "4", "0"}));
  EXPECT_EQ(stored[1], (Cells{"-81985529216486896", "3", "8", "\\x74", "(null)", "(null)", "\\x",
                              "1970-01-01 00:00:00", "(null)", "f", "(null)", "(null)", "0"}));
  EXPECT_EQ(stored[2][4], "\\x");
  EXPECT_EQ(stored[2][5], "\\x");
}

TEST_F(PgOutboxOnServer, RaisesTheMarksWithTheRows) {
  PgOutbox outbox{settings(), log_};
  connect(outbox);

  EXPECT_EQ(write(outbox, rows(1, 10, true)), StoreEventKind::committed);
  EXPECT_EQ(write(outbox, rows(11, 20)), StoreEventKind::committed);

  EXPECT_EQ(marks(), "20 10");
  outbox.read_progress();
  const StoreEvent progress = next_event(outbox);
  ASSERT_EQ(progress.kind, StoreEventKind::progress);
  ASSERT_EQ(progress.streams.size(), 1U);
  EXPECT_EQ(progress.streams[0].lane, lane);
  EXPECT_EQ(progress.streams[0].written_through, Seq{20});
  EXPECT_EQ(progress.streams[0].held_through, Seq{10});
  EXPECT_EQ(progress.streams[0].relayed_through, Seq{0});
}

TEST_F(PgOutboxOnServer, WritesBatchesLargerThanTheSocketsBuffer) {
  PgOutbox outbox{settings(), log_};
  connect(outbox);
  const std::string payload(1'000'000, 'x');
  std::vector<OutboxRow> large = rows(1, 30);
  for (OutboxRow& row : large)
    row.payload = bytes_of(payload);

  EXPECT_EQ(write(outbox, large), StoreEventKind::committed);

  EXPECT_EQ(count("octet_length(payload) = 1000000"), "30");
}

// No row twice, none missing, whatever became of the COMMIT.
TEST_F(PgOutboxOnServer, TellsAfterALostConnectionWhatWasCommitted) {
  PgOutbox outbox{settings(), log_};
  connect(outbox);
  std::uint64_t written = 0;
  for (unsigned round = 0; round < 30; ++round) {
    ASSERT_EQ(write(outbox, rows(written + 1, written + 10)), StoreEventKind::committed);
    written += 10;
    const std::vector<OutboxRow> batch = rows(written + 1, written + 200);

    outbox.write_rows(lane, batch);
    for (unsigned step = 0; step < round * 3; ++step) {
      if (outbox.is_idle()) break;
      [[maybe_unused]] const StoreEvent event = outbox.poll(testing::real_now());
    }
    end_writer();
    StoreEvent event = next_event(outbox);
    if (event.kind == StoreEventKind::committed) event = next_event(outbox);
    ASSERT_EQ(event.kind, StoreEventKind::lost);
    const StoreEvent connected = next_event(outbox);

    ASSERT_EQ(connected.kind, StoreEventKind::connected);
    const std::uint64_t through =
        connected.streams.empty() ? 0 : connected.streams[0].written_through.value;
    EXPECT_TRUE(through == written || through == written + 200) << through;
    EXPECT_EQ(count(), std::to_string(through));
    written = through;
  }
}

TEST_F(PgOutboxOnServer, EndsAnOlderSessionBeforeItLooks) {
  testing::SqlSession limbo = database_.session();
  limbo.run("SELECT pg_advisory_lock(" + std::to_string(owner_key(instance)) + ")");
  PgOutbox outbox{settings(), log_};

  connect(outbox);

  EXPECT_THROW(limbo.run("SELECT 1"), std::runtime_error);
  EXPECT_EQ(log_.count("older session of this instance is ended first"), 1U);
}

TEST_F(PgOutboxOnServer, GivesUpAServerThatSaysNothing) {
  PgOutboxSettings impatient = settings();
  impatient.reply_within = 200ms;
  PgOutbox outbox{impatient, log_};
  connect(outbox);
  testing::SqlSession other = database_.session();
  other.run("BEGIN; LOCK TABLE spillway.outbox");

  EXPECT_EQ(write(outbox, rows(1, 5)), StoreEventKind::lost);
  const StoreEvent connected = next_event(outbox);
  other.run("COMMIT");

  ASSERT_EQ(connected.kind, StoreEventKind::connected);
  EXPECT_TRUE(connected.streams.empty());  // the old session is gone, and its transaction with it
  EXPECT_EQ(write(outbox, rows(1, 5)), StoreEventKind::committed);
  EXPECT_EQ(count(), "5");
}

struct Failure {
  const char* name;
  const char* sqlstate;
  StoreEventKind seen_as;
};
class PgOutboxFailure : public PgOutboxOnServer, public ::testing::WithParamInterface<Failure> {};

TEST_P(PgOutboxFailure, IsSeenAs) {
  PgOutbox outbox{settings(), log_};
  connect(outbox);
  fail_inserts_with(GetParam().sqlstate);

  EXPECT_EQ(write(outbox, rows(1, 5)), GetParam().seen_as);
  sql_.run("DROP TRIGGER fail ON spillway.outbox");
  if (GetParam().seen_as == StoreEventKind::lost) connect(outbox);

  EXPECT_EQ(marks(), "");  // the marks fell with the rows
  EXPECT_EQ(write(outbox, rows(1, 5)), StoreEventKind::committed);
}
INSTANTIATE_TEST_SUITE_P(PgOutbox, PgOutboxFailure,
                         ::testing::Values(Failure{"FullDisk", "53100", StoreEventKind::retry},
                                           Failure{"Deadlock", "40P01", StoreEventKind::retry},
                                           Failure{"ReadOnly", "25006", StoreEventKind::retry},
                                           Failure{"Cancelled", "57014", StoreEventKind::retry},
                                           Failure{"BadData", "22P03", StoreEventKind::refused},
                                           Failure{"TooLarge", "54000", StoreEventKind::refused},
                                           Failure{"RowsAreThere", "23505", StoreEventKind::lost}),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST_F(PgOutboxOnServer, ReleasesEachHeldRowToItsFate) {
  PgOutbox outbox{settings(), log_};
  connect(outbox);
  EXPECT_EQ(write(outbox, rows(1, 6, true)), StoreEventKind::committed);
  EXPECT_EQ(write(outbox, rows(7, 8)), StoreEventKind::committed);
  const std::array unfinished{Unfinished{.seq = {2}, .resend = ResendCause::fatal},
                              Unfinished{.seq = {3}},
                              Unfinished{.seq = {4}, .dead_letter_error = "it's too large"}};

  for (int again = 0; again < 2; ++again) {
    outbox.release(lane, {6}, unfinished);
    ASSERT_EQ(next_event(outbox).kind, StoreEventKind::committed);

    using Rows = std::vector<std::vector<std::string>>;
    EXPECT_EQ(sql_.rows("SELECT seq, held, resend FROM spillway.outbox ORDER BY seq"),
              (Rows{{"2", "f", "fatal"},
                    {"3", "f", "(null)"},
                    {"7", "f", "(null)"},
                    {"8", "f", "(null)"}}));
    EXPECT_EQ(sql_.rows("SELECT seq, error, payload FROM spillway.dead_letter"),
              (Rows{{"4", "it's too large", "\\x61207061796c6f6164"}}));
    EXPECT_EQ(marks(), "8 0");
  }
}

TEST_F(PgOutboxOnServer, BuriesAWholeWindowOfHeldRowsInOneRelease) {
  constexpr std::uint64_t window = 10'000;
  PgOutbox outbox{settings(), log_};
  connect(outbox);
  ASSERT_EQ(write(outbox, rows(1, window, true)), StoreEventKind::committed);
  std::vector<Unfinished> refused;
  for (std::uint64_t seq = 1; seq <= window; ++seq)
    refused.push_back({.seq = {seq}, .dead_letter_error = "refused"});

  outbox.release(lane, {window}, refused);

  EXPECT_EQ(next_event(outbox).kind, StoreEventKind::committed);
  EXPECT_EQ(sql_.value("SELECT count(*) FROM spillway.dead_letter"), std::to_string(window));
  EXPECT_EQ(count(), "0");
}

TEST_F(PgOutboxOnServer, ReleasesRowsOfUnknownFateMarked) {
  PgOutbox outbox{settings(), log_};
  connect(outbox);
  EXPECT_EQ(write(outbox, rows(1, 3, true)), StoreEventKind::committed);
  EXPECT_EQ(write(outbox, rows(4, 5)), StoreEventKind::committed);

  outbox.release_unknown(lane);

  ASSERT_EQ(next_event(outbox).kind, StoreEventKind::committed);
  EXPECT_EQ(count("NOT held AND resend = 'recovery' AND seq <= 3"), "3");
  EXPECT_EQ(count("NOT held AND resend IS NULL AND seq > 3"), "2");
  EXPECT_EQ(marks(), "5 0");
}

TEST_F(PgOutboxOnServer, KeepsADeadLetterThatIsStoredAlready) {
  PgOutbox outbox{settings(), log_};
  connect(outbox);
  OutboxRow row;
  row.seq = {5};
  row.topic = "orders";
  row.key = bytes_of("\0'\\"sv);
  row.headers = bytes_of("h");
  row.accepted_at = {1'700'000'000'000'001'000};

  for (const char* error : {"first", "second"}) {
    outbox.write_dead_letters(lane, std::array{ports::DeadLetterRow{.row = row, .error = error}});
    ASSERT_EQ(next_event(outbox).kind, StoreEventKind::committed);
  }

  using Rows = std::vector<std::vector<std::string>>;
  EXPECT_EQ(sql_.rows("SELECT seq, topic, key, payload, headers, error, "
                      "accepted_at AT TIME ZONE 'UTC' FROM spillway.dead_letter"),
            (Rows{{"5", "\\x6f7264657273", "\\x00275c", "(null)", "\\x68", "first",
                   "2023-11-14 22:13:20.000001"}}));
}

TEST_F(PgOutboxOnServer, NamesTheCommandThatMakesTheSchemaOnce) {
  sql_.run("DROP SCHEMA spillway CASCADE");
  PgOutbox outbox{settings(), log_};

  EXPECT_EQ(next_event(outbox, 500ms).kind, StoreEventKind::none);
  EXPECT_EQ(log_.count("spillway schema --apply"), 1U);
  sql_.run(std::string{schema_text()});

  connect(outbox);
  EXPECT_EQ(log_.lines().size(), 2U) << "and that it is over";
}

TEST_F(PgOutboxOnServer, SaysOnceWhichServerRefusesAndNeverThePassword) {
  PgOutbox outbox{settings("user=no_such_user password=hunter2"), log_};

  EXPECT_EQ(next_event(outbox, 500ms).kind, StoreEventKind::none);

  ASSERT_EQ(log_.lines().size(), 1U);
  EXPECT_EQ(log_.count("no_such_user"), 1U);
  EXPECT_EQ(log_.count("hunter2"), 0U);
}

TEST_F(PgOutboxOnServer, NeedsNoMoreThanTheWritersRole) {
  PgOutbox outbox{settings("options='-c role=spillway_writer'"), log_};
  connect(outbox);

  EXPECT_EQ(write(outbox, rows(1, 3, true)), StoreEventKind::committed);
  outbox.write_dead_letters(lane,
                            std::array{ports::DeadLetterRow{.row = rows(9, 9)[0], .error = "e"}});
  EXPECT_EQ(next_event(outbox).kind, StoreEventKind::committed);
  outbox.release(lane, {3},
                 std::array{Unfinished{.seq = {1}, .resend = ResendCause::fatal},
                            Unfinished{.seq = {2}, .dead_letter_error = "e"}});
  EXPECT_EQ(next_event(outbox).kind, StoreEventKind::committed);
  outbox.release_unknown(lane);
  EXPECT_EQ(next_event(outbox).kind, StoreEventKind::committed);
  outbox.read_progress();
  EXPECT_EQ(next_event(outbox).kind, StoreEventKind::progress);
  EXPECT_TRUE(log_.lines().empty()) << log_.lines().front();
}

TEST_F(PgOutboxOnServer, AppliesTheSchemaAgainWithoutAChange) {
  const std::string tables =
      "SELECT string_agg(oid || coalesce(relacl::text, '') || coalesce(reloptions::text, ''), ';' "
      "ORDER BY oid) FROM pg_class WHERE relnamespace = 'spillway'::regnamespace";
  const std::string before = sql_.value(tables);

  sql_.run(std::string{schema_text()});

  EXPECT_EQ(sql_.value(tables), before);
}

}  // namespace
}  // namespace spillway::postgres
