// tests/integration/pg_relay_test.cpp: the relay's side of the outbox on a real server.

#include "adapters/postgres/pg_relay.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "adapters/postgres/lock_keys.hpp"
#include "adapters/postgres/pg_outbox.hpp"
#include "adapters/postgres/schema_sql.hpp"
#include "spillway/envelope.hpp"
#include "support/database.hpp"
#include "support/driving.hpp"
#include "support/recording_log.hpp"

namespace spillway::postgres {
namespace {

using namespace std::chrono_literals;
using core::ResendCause;
using core::Seq;
using ports::LeasedStream;
using ports::OutboxRow;
using ports::RelayEvent;
using ports::RelayEventKind;
using testing::next_event;
using testing::real_now;
using Rows = std::vector<std::vector<std::string>>;

constexpr core::StreamId stream{.instance = {0xFEDC'BA98'7654'3210}, .lane = {3}};
constexpr std::size_t many = 1'000'000;

std::string text_of(const std::optional<ports::Bytes>& bytes) {
  if (!bytes) return "(null)";
  return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

class PgRelayOnServer : public ::testing::Test {
 protected:
  PgRelayOnServer() { sql_.run(std::string{schema_text()}); }

  [[nodiscard]] PgRelaySettings settings(std::uint64_t holder, std::string_view more = {}) const {
    PgRelaySettings settings;
    settings.conninfo = database_.conninfo(more);
    settings.holder = {holder};
    return settings;
  }
  static void connect(PgRelay& relay) {
    ASSERT_EQ(next_event(relay).kind, RelayEventKind::connected);
  }
  static std::vector<LeasedStream> scan(PgRelay& relay, core::Instant at = real_now()) {
    relay.scan(at);
    const RelayEvent event = next_event(relay);
    EXPECT_EQ(event.kind, RelayEventKind::scanned) << event.error;
    return {event.streams.begin(), event.streams.end()};
  }
  static std::shared_ptr<const ports::RowBatch> read(PgRelay& relay, Seq after,
                                                     std::size_t rows_max = many,
                                                     std::size_t bytes_max = many) {
    relay.read(stream, after, rows_max, bytes_max);
    const RelayEvent event = next_event(relay);
    EXPECT_EQ(event.kind, RelayEventKind::rows) << event.error;
    return event.batch;
  }
  static std::vector<std::uint64_t> seqs(const ports::RowBatch& batch) {
    std::vector<std::uint64_t> found;
    for (const ports::RelayRow& row : batch.rows())
      found.push_back(row.seq.value);
    return found;
  }

  // As the stream's owner, which then goes away.
  void write(std::span<const OutboxRow> rows) {
    PgOutboxSettings settings;
    settings.conninfo = database_.conninfo();
    settings.instance = stream.instance;
    PgOutbox outbox{settings, log_};
    ASSERT_EQ(next_event(outbox).kind, ports::StoreEventKind::connected);
    outbox.write_rows(stream.lane, rows);
    ASSERT_EQ(next_event(outbox).kind, ports::StoreEventKind::committed);
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
  std::string left() {
    return sql_.value(
        "SELECT string_agg(seq || coalesce(resend, ''), ' ' ORDER BY seq) FROM spillway.outbox");
  }
  void end_relays() {
    sql_.run(
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
        "WHERE application_name = 'spillway-relay' AND datname = current_database()");
  }

  /// Of two relays, the second of which finds that the first one has begun: the rows of the outbox
  /// that their statements looked at, each for a batch with a backlog behind it.
  std::size_t rows_looked_at_by_two_relays(std::size_t batch) {
    write(rows(1, 20'000));
    const auto rows_looked_at = [this] {
      return std::stoul(
          sql_.value("SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) "
                     "FROM pg_stat_user_tables WHERE relname = 'outbox'"));
    };
    const std::size_t before = rows_looked_at();
    for (const std::uint64_t holder : {1UL, 2UL}) {
      PgRelay relay{settings(holder), log_};
      connect(relay);
      EXPECT_EQ(scan(relay).size(), 1U);
      EXPECT_EQ(read(relay, {0}, batch)->rows().size(), batch);
      relay.finish(stream, {0}, {batch / 4 * holder}, {});
      EXPECT_EQ(next_event(relay).kind, RelayEventKind::finished);
    }
    EXPECT_TRUE(testing::eventually(3s, [this] {
      return sql_.value(
                 "SELECT count(*) FROM pg_stat_activity WHERE application_name = "
                 "'spillway-relay' AND datname = current_database()") == "0";
    })) << "a session's counts are there once it has ended";
    return rows_looked_at() - before;
  }
  /// A thousand rows of another stream.
  void write_others() {
    sql_.run(
        "INSERT INTO spillway.outbox (instance, lane, seq, topic, headers, accepted_at) "
        "SELECT 1, 0, n, 'orders', '', now() FROM generate_series(1, 1000) AS n");
  }

  testing::TestDatabase database_;
  testing::SqlSession sql_ = database_.session();
  testing::RecordingLog log_;
};

TEST_F(PgRelayOnServer, ReadsRowsToTheByte) {
  const OutboxRow written{.seq = {7},
                          .topic = "orders",
                          .key = bytes_of("k"),
                          .payload = bytes_of("p"),
                          .headers = bytes_of("hh"),
                          .accepted_at = {1'700'000'000'123'456'000},
                          .event_time_ms = -5,
                          .resend = ResendCause::fatal,
                          .renumbered_from = {4}};
  OutboxRow without;
  without.seq = {9};
  without.topic = "t";
  without.key = ports::Bytes{};
  write(std::array{written, without});
  PgRelay relay{settings(1), log_};
  connect(relay);

  const std::vector<LeasedStream> streams = scan(relay);
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0].id, stream);
  EXPECT_EQ(streams[0].written_through, Seq{9});
  EXPECT_TRUE(streams[0].is_new);
  const auto batch = read(relay, {0});

  ASSERT_EQ(batch->rows().size(), 2U);
  const ports::RelayRow& full = batch->rows()[0];
  EXPECT_EQ(full.seq, Seq{7});
  EXPECT_EQ(full.topic, "orders");
  EXPECT_EQ(text_of(full.key), "k");
  EXPECT_EQ(text_of(full.payload), "p");
  EXPECT_EQ(full.headers.size(), 2U);
  EXPECT_EQ(full.accepted_at.ns, 1'700'000'000'123'456'000);
  EXPECT_GT(full.spilled_at, full.accepted_at);
  EXPECT_EQ(full.event_time_ms, -5);
  EXPECT_EQ(full.resend, ResendCause::fatal);
  EXPECT_EQ(full.renumbered_from, Seq{4});
  EXPECT_TRUE(full.send_alone);
  const ports::RelayRow& bare = batch->rows()[1];
  EXPECT_EQ(text_of(bare.key), "");
  EXPECT_EQ(text_of(bare.payload), "(null)");
  EXPECT_FALSE(bare.event_time_ms);
  EXPECT_EQ(bare.resend, ResendCause::none);
  EXPECT_FALSE(bare.send_alone);
}

TEST_F(PgRelayOnServer, ReadsAboveTheCursorWithinBothBounds) {
  write(rows(1, 100));
  PgRelay relay{settings(1), log_};
  connect(relay);
  ASSERT_EQ(scan(relay).size(), 1U);
  constexpr std::size_t row_bytes = 15;  // "orders" and "a payload"

  EXPECT_EQ(seqs(*read(relay, {0}, 3)), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(seqs(*read(relay, {3}, many, 2 * row_bytes)), (std::vector<std::uint64_t>{4, 5}));
  EXPECT_EQ(seqs(*read(relay, {5}, many, 1)), (std::vector<std::uint64_t>{6}));
  EXPECT_EQ(sql_.value("SELECT started_through FROM spillway.relay_progress"), "6");
  EXPECT_TRUE(read(relay, {100})->rows().empty());
}

// Whatever the table's statistics say: here, that a stream younger than they are has one row.
TEST_F(PgRelayOnServer, LooksAtABatchAndNotAtTheBacklogBehindIt) {
  write_others();
  sql_.run("ANALYZE spillway.outbox");

  EXPECT_LE(rows_looked_at_by_two_relays(100), 2'000U);
}

// As after an outage: an index entry leads to nothing, and the whole table is said to have one row.
TEST_F(PgRelayOnServer, LooksAtABatchAlsoWhenTheTableWasEmptyAtItsLastAnalyze) {
  write_others();
  sql_.run("DELETE FROM spillway.outbox");
  sql_.run("ANALYZE spillway.outbox");

  EXPECT_LE(rows_looked_at_by_two_relays(100), 2'000U);
}

TEST_F(PgRelayOnServer, RemovesTheFinishedPrefixAlone) {
  write(rows(1, 6));
  PgRelay relay{settings(1), log_};
  connect(relay);
  ASSERT_EQ(scan(relay).size(), 1U);
  ASSERT_EQ(read(relay, {0})->rows().size(), 6U);

  relay.finish(stream, {0}, {2}, {});
  EXPECT_EQ(next_event(relay).kind, RelayEventKind::finished);
  EXPECT_EQ(left(), "3 4 5 6");
  relay.finish(stream, {2}, {4},
               std::array{ports::RelayDeadLetter{
                   .seq = {3}, .error = "refused", .resend = core::ResendCause::fatal}});
  EXPECT_EQ(next_event(relay).kind, RelayEventKind::finished);

  EXPECT_EQ(left(), "5 6");
  EXPECT_EQ(sql_.rows("SELECT seq, error, resend, payload FROM spillway.dead_letter"),
            (Rows{{"3", "refused", "fatal", "\\x61207061796c6f6164"}}));
  EXPECT_EQ(sql_.value("SELECT relayed_through FROM spillway.relay_progress"), "4");
  relay.finish(stream, {4}, {6}, {});
  EXPECT_EQ(next_event(relay).kind, RelayEventKind::finished);
  EXPECT_TRUE(scan(relay).empty());
}

// A topic that refuses everything makes a letter of each row. A join of them that compares each
// with each takes a minute, and the server ends a statement after eight seconds.
TEST_F(PgRelayOnServer, BuriesAWholeWindowInOneRequest) {
  constexpr std::uint64_t window = 10'000;
  write(rows(1, window));
  PgRelay relay{settings(1), log_};
  connect(relay);
  ASSERT_EQ(scan(relay).size(), 1U);
  std::vector<ports::RelayDeadLetter> letters;
  for (std::uint64_t seq = 1; seq <= window; ++seq)
    letters.push_back({.seq = {seq}, .error = "refused"});

  relay.finish(stream, {0}, {window}, letters);

  EXPECT_EQ(next_event(relay).kind, RelayEventKind::finished);
  EXPECT_EQ(sql_.value("SELECT count(*) FROM spillway.dead_letter"), std::to_string(window));
  EXPECT_EQ(sql_.value("SELECT count(*) FROM spillway.outbox"), "0");
}

TEST_F(PgRelayOnServer, LeavesAStreamToItsHolder) {
  write(rows(1, 3));
  PgRelay first{settings(1), log_};
  PgRelay second{settings(2), log_};
  connect(first);
  connect(second);

  EXPECT_EQ(scan(first).size(), 1U);
  EXPECT_TRUE(scan(second).empty());
  EXPECT_EQ(scan(first).size(), 1U);  // still, and counted once:
  first.give_up(stream);
  EXPECT_EQ(next_event(first).kind, RelayEventKind::given_up);

  EXPECT_EQ(scan(second).size(), 1U);
  EXPECT_TRUE(scan(first).empty());
  EXPECT_EQ(left(), "1 2 3");  // nothing was started, so nothing is marked
}

TEST_F(PgRelayOnServer, MarksWhatTheFormerHolderMayHaveSent) {
  write(rows(1, 4));
  auto first = std::make_unique<PgRelay>(settings(1), log_);
  connect(*first);
  ASSERT_EQ(scan(*first).size(), 1U);
  ASSERT_EQ(read(*first, {0}, 3)->rows().size(), 3U);
  first->finish(stream, {0}, {1}, {});
  ASSERT_EQ(next_event(*first).kind, RelayEventKind::finished);
  first.reset();
  PgRelay second{settings(2), log_};
  connect(second);

  std::vector<LeasedStream> streams;
  ASSERT_TRUE(testing::eventually(2s, [&] { return !(streams = scan(second)).empty(); }));

  EXPECT_TRUE(streams[0].is_new);
  EXPECT_EQ(streams[0].relayed_through, Seq{1});
  EXPECT_EQ(left(), "2lease 3lease 4");
  const auto batch = read(second, {1});
  ASSERT_EQ(batch->rows().size(), 3U);
  EXPECT_EQ(batch->rows()[0].resend, ResendCause::lease);
  EXPECT_FALSE(batch->rows()[0].send_alone);
}

TEST_F(PgRelayOnServer, SendsAloneWhatTwoRelaysDidNotFinish) {
  write(rows(1, 2));
  for (std::uint64_t holder = 1; holder <= 3; ++holder) {
    PgRelay relay{settings(holder), log_};
    connect(relay);
    ASSERT_TRUE(testing::eventually(2s, [&] { return !scan(relay).empty(); }));

    const auto batch = read(relay, {0}, 1);

    ASSERT_EQ(batch->rows().size(), 1U);
    EXPECT_EQ(batch->rows()[0].send_alone, holder == 3);
  }
}

TEST_F(PgRelayOnServer, MarksNothingWhenItComesBackItself) {
  write(rows(1, 4));
  PgRelay relay{settings(1), log_};
  connect(relay);
  ASSERT_EQ(scan(relay).size(), 1U);
  ASSERT_EQ(read(relay, {0}, 3)->rows().size(), 3U);
  end_relays();
  ASSERT_EQ(next_event(relay).kind, RelayEventKind::lost);
  connect(relay);

  const std::vector<LeasedStream> streams = scan(relay);

  ASSERT_EQ(streams.size(), 1U);
  EXPECT_FALSE(streams[0].is_new);
  EXPECT_EQ(left(), "1 2 3 4");
}

TEST_F(PgRelayOnServer, LosesItsLeaseWhileItIsStopped) {
  write(rows(1, 2));
  PgRelaySettings short_lived = settings(1);
  short_lived.lease_timeout = 300ms;
  PgRelay stopped{short_lived, log_};
  connect(stopped);
  ASSERT_EQ(scan(stopped).size(), 1U);
  PgRelay other{settings(2), log_};
  connect(other);
  EXPECT_TRUE(scan(other).empty());

  // `stopped` is not polled meanwhile.
  EXPECT_TRUE(testing::eventually(3s, [&] { return !scan(other).empty(); }));

  EXPECT_EQ(next_event(stopped).kind, RelayEventKind::lost);
}

TEST_F(PgRelayOnServer, KeepsItsLeaseWhileItIsIdle) {
  write(rows(1, 2));
  PgRelaySettings short_lived = settings(1);
  short_lived.lease_timeout = 1'500ms;
  PgRelay idle{short_lived, log_};
  connect(idle);
  ASSERT_EQ(scan(idle).size(), 1U);

  EXPECT_EQ(next_event(idle, 3s).kind, RelayEventKind::none);

  PgRelay other{settings(2), log_};
  connect(other);
  EXPECT_TRUE(scan(other).empty());
}

TEST_F(PgRelayOnServer, LeavesHeldRowsToALivingOwner) {
  write(rows(1, 3, true));
  testing::SqlSession owner = database_.session();
  owner.run("SELECT pg_advisory_lock(" + std::to_string(owner_key(stream.instance)) + ")");
  PgRelay relay{settings(1), log_};
  connect(relay);
  const core::Instant start = real_now();

  EXPECT_TRUE(scan(relay, start).empty());
  EXPECT_TRUE(scan(relay, start + 1h).empty());
}

TEST_F(PgRelayOnServer, AdoptsHeldRowsAfterTheGraceAndNotBefore) {
  write(rows(1, 3, true));
  write(rows(4, 4));
  PgRelay relay{settings(1), log_};
  connect(relay);
  const core::Instant start = real_now();

  EXPECT_TRUE(scan(relay, start).empty());
  EXPECT_TRUE(scan(relay, start + 10s - 1ns).empty());
  EXPECT_EQ(left(), "1 2 3 4");
  relay.scan(start + 10s);
  const RelayEvent event = next_event(relay);

  ASSERT_EQ(event.kind, RelayEventKind::scanned);
  EXPECT_EQ(event.adopted, 1U);
  EXPECT_EQ(event.streams.size(), 1U);
  EXPECT_EQ(left(), "1recovery 2recovery 3recovery 4");
  EXPECT_EQ(sql_.value("SELECT held_through FROM spillway.stream"), "0");
  EXPECT_EQ(seqs(*read(relay, {0})), (std::vector<std::uint64_t>{1, 2, 3, 4}));
}

TEST_F(PgRelayOnServer, CountsTheGraceAnewAfterTheOwnerWasSeen) {
  write(rows(1, 1, true));
  PgRelay relay{settings(1), log_};
  connect(relay);
  const core::Instant start = real_now();
  EXPECT_TRUE(scan(relay, start).empty());
  {
    testing::SqlSession owner = database_.session();
    owner.run("SELECT pg_advisory_lock(" + std::to_string(owner_key(stream.instance)) + ")");
    EXPECT_TRUE(scan(relay, start + 9s).empty());
    owner.run("SELECT pg_advisory_unlock_all()");
  }

  EXPECT_TRUE(scan(relay, start + 11s).empty());
  EXPECT_TRUE(scan(relay, start + 20s).empty());
  EXPECT_EQ(scan(relay, start + 21s).size(), 1U);
}

TEST_F(PgRelayOnServer, ReadsNothingThatIsHeldMeanwhile) {
  write(rows(1, 2));
  PgRelay relay{settings(1), log_};
  connect(relay);
  ASSERT_EQ(scan(relay).size(), 1U);
  write(rows(3, 4, true));
  write(rows(5, 6));

  EXPECT_EQ(seqs(*read(relay, {0})), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_TRUE(scan(relay).empty());
}

TEST_F(PgRelayOnServer, NamesTheCommandThatMakesTheSchema) {
  sql_.run("DROP SCHEMA spillway CASCADE");
  PgRelay relay{settings(1), log_};

  EXPECT_EQ(next_event(relay, 300ms).kind, RelayEventKind::none);

  EXPECT_EQ(log_.count("spillway schema --apply"), 1U);
}

TEST_F(PgRelayOnServer, NeedsNoMoreThanTheRelaysRole) {
  write(rows(1, 3, true));
  PgRelay relay{settings(1, "options='-c role=spillway_relay'"), log_};
  connect(relay);
  const core::Instant start = real_now();

  EXPECT_TRUE(scan(relay, start).empty());
  ASSERT_EQ(scan(relay, start + 1min).size(), 1U);
  EXPECT_EQ(read(relay, {0})->rows().size(), 3U);
  relay.finish(stream, {0}, {2}, std::array{ports::RelayDeadLetter{.seq = {1}, .error = "e"}});
  EXPECT_EQ(next_event(relay).kind, RelayEventKind::finished);
  relay.give_up(stream);
  EXPECT_EQ(next_event(relay).kind, RelayEventKind::given_up);
  EXPECT_TRUE(log_.lines().empty()) << log_.lines().front();
}

}  // namespace
}  // namespace spillway::postgres
