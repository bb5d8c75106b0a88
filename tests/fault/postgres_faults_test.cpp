// tests/fault/postgres_faults_test.cpp: guards P4, P7, P11 and P20 (X10 to X15): a PostgreSQL that
// refuses, waits, or ends a session in the middle.

#include <chrono>
#include <random>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "fault/under_fault.hpp"

namespace spillway::test {
namespace {

using std::chrono::milliseconds;

// Ends every session of the test's database but the caller's; one row for each.
const std::string end_all_sessions =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
    "pid <> pg_backend_pid()";

std::string end_sessions(const std::string& whose) {
  return end_all_sessions + " AND " + whose;
}

constexpr const char* writers = "application_name LIKE '%writer%'";

// Ends sessions of the pipeline as often as it can until told to stop.
class Terminator {
 public:
  Terminator(UnderFault& test, const std::string& whose)
      : sql_{test.sql()}, statement_{end_sessions(whose)} {}

  void start() {
    thread_ = std::jthread{[this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        sql_.run(statement_);
        std::this_thread::sleep_for(milliseconds{20});
      }
    }};
  }
  void stop() { thread_ = {}; }

 private:
  testing::SqlSession sql_;
  std::string statement_;
  std::jthread thread_;
};

Fault terminated(std::string name, std::string row, const std::string& whose) {
  auto terminator = std::make_shared<std::unique_ptr<Terminator>>();
  return {.name = std::move(name),
          .row = std::move(row),
          .begin =
              [terminator, whose](UnderFault& test) {
                *terminator = std::make_unique<Terminator>(test, whose);
                (*terminator)->start();
              },
          .end = [terminator](UnderFault&) { terminator->reset(); },
          .copies = Copies::marked};
}

// A session of our own that holds something.
Fault while_held(std::string name, std::string row, const std::vector<std::string>& statements) {
  auto session = std::make_shared<std::unique_ptr<testing::SqlSession>>();
  return {.name = std::move(name),
          .row = std::move(row),
          .begin =
              [session, statements](UnderFault& test) {
                *session = std::make_unique<testing::SqlSession>(test.sql());
                for (const std::string& statement : statements)
                  (*session)->run(statement);
              },
          .end = [session](UnderFault&) { session->reset(); }};
}

Fault sql_fault(std::string name, std::string row, const std::string& begin, const std::string& end,
                std::string told) {
  return {.name = std::move(name),
          .row = std::move(row),
          .begin = [begin](UnderFault& test) { test.sql().run(begin); },
          .end = [end](UnderFault& test) { test.sql().run(end); },
          .told = std::move(told)};
}

// New sessions are read-only; the old ones end, so that there are new ones.
Fault made_read_only() {
  Fault fault{.name = "ItIsReadOnly", .row = "X15"};
  const auto set = [](UnderFault& test, const std::string& value) {
    testing::SqlSession sql = test.sql();
    sql.run("SET default_transaction_read_only = off");
    sql.run("ALTER DATABASE " + sql.value("SELECT current_database()") +
            " SET default_transaction_read_only = " + value);
    sql.run(end_all_sessions);
  };
  fault.begin = [set](UnderFault& test) { set(test, "on"); };
  fault.end = [set](UnderFault& test) { set(test, "off"); };
  fault.copies = Copies::marked;
  fault.told = "read-only";
  return fault;
}

// Nobody gets in, and who was in is out.
Fault without_connections() {
  return {.name = "ItHasNoConnectionsLeft",
          .row = "X11",
          .begin =
              [](UnderFault& test) {
                test.sql().run("ALTER ROLE " + test.service_role() + " CONNECTION LIMIT 0");
                test.sql().run(end_all_sessions);
              },
          .end =
              [](UnderFault& test) {
                test.sql().run("ALTER ROLE " + test.service_role() + " CONNECTION LIMIT -1");
              },
          .copies = Copies::marked,
          .told = "too many connections"};
}

// What a full disk answers, at every row.
constexpr const char* full_disk =
    "CREATE FUNCTION spillway.full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
    "EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$; "
    "CREATE TRIGGER full_disk BEFORE INSERT ON spillway.outbox FOR EACH ROW EXECUTE FUNCTION "
    "spillway.full_disk()";

Fault killed() {
  return {.name = "ItIsKilled",
          .row = "X10",
          .begin = [](UnderFault& test) { test.stack().kill(Server::postgres); },
          .end = [](UnderFault& test) { test.stack().start(Server::postgres); },
          .copies = Copies::marked};
}

Fault restarted() {
  return {.name = "ItIsRestarted",
          .row = "X10",
          .begin = [](UnderFault& test) { test.stack().restart(Server::postgres); },
          .end = [](UnderFault&) {},
          .lasts = milliseconds{500},
          .copies = Copies::marked};
}

Fault paused() {
  return {.name = "ItHangs",
          .row = "X11",
          .begin = [](UnderFault& test) { test.stack().pause(Server::postgres); },
          .end = [](UnderFault& test) { test.stack().resume(Server::postgres); },
          .lasts = milliseconds{5'000},
          .copies = Copies::marked};
}

std::vector<Fault> faults() {
  const std::string rename = "ALTER TABLE spillway.outbox RENAME TO ";
  return {
      killed(),
      restarted(),
      paused(),
      terminated("ItsWritersSessionIsEnded", "X12", writers),
      terminated("ItsRelaysSessionIsEnded", "X13", "application_name LIKE '%relay%'"),
      while_held("ItsOutboxIsLocked", "X11",
                 {"BEGIN", "LOCK TABLE spillway.outbox IN ACCESS EXCLUSIVE MODE"}),
      sql_fault("ItsDiskIsFull", "X14", full_disk, "DROP FUNCTION spillway.full_disk CASCADE",
                "could not extend file"),
      sql_fault("ItsTableIsMissing", "X15", rename + "gone",
                "ALTER TABLE spillway.gone RENAME TO outbox", "does not exist"),
      sql_fault("ItsGrantsAreRevoked", "X15",
                "REVOKE INSERT, DELETE ON spillway.outbox FROM spillway_writer, spillway_relay",
                "GRANT INSERT, DELETE ON spillway.outbox TO spillway_writer; "
                "GRANT DELETE ON spillway.outbox TO spillway_relay",
                "permission denied"),
      made_read_only(),
      without_connections(),
  };
}

class PostgresFaults : public UnderFault, public ::testing::WithParamInterface<Cell> {};

TEST_P(PostgresFaults, LoseReorderAndDoubleNothing) {
  run(GetParam().fault, GetParam().phase);
}

INSTANTIATE_TEST_SUITE_P(Usual, PostgresFaults,
                         ::testing::ValuesIn(cells(faults(), {Phase::spilling})),
                         [](const auto& cell) { return name_of(cell); });
INSTANTIATE_TEST_SUITE_P(Long, PostgresFaults,
                         ::testing::ValuesIn(cells(faults(), {Phase::direct, Phase::returning})),
                         [](const auto& cell) { return name_of(cell); });

class LongPostgresSeries : public UnderFault {};

// X12: a COMMIT may have come through or not, each time.
TEST_F(LongPostgresSeries, ItsWritersSessionIsEndedAtTwoHundredInstants) {
  constexpr int times = 200;
  Config settings = proxied_config();
  settings.lanes.force_spill = {0, 1};
  Pipeline pipeline = Pipeline::open(settings);
  program::LoadGenerator load = load_on(pipeline);
  ASSERT_TRUE(eventually(patience, [&] { return pipeline.counters().spilled > 1'000; }));

  std::mt19937_64 dice{1};
  std::uniform_int_distribution<int> instants{0, 60'000};
  int ended = 0;
  testing::SqlSession session = sql();
  EXPECT_TRUE(eventually(3 * patience, [&] {
    std::this_thread::sleep_for(std::chrono::microseconds{instants(dice)});
    ended += static_cast<int>(session.rows(end_sessions(writers)).size());
    return ended >= times;
  })) << ended;
  load.stop();
  EXPECT_TRUE(pipeline.flush(std::chrono::steady_clock::now() + patience));
  EXPECT_TRUE(eventually(patience, [&] { return outbox_rows() == 0; }));
  EXPECT_TRUE(eventually(patience, [&] { return pipeline.counters().outbox_queue_depth == 0; }));
  const Metrics seen = pipeline.counters();
  expect_conserved(seen);
  expect_audit_clean(copies_of(seen));
}

}  // namespace
}  // namespace spillway::test
