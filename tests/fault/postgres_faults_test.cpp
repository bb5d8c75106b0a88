// tests/fault/postgres_faults_test.cpp: guards P4, P7, P11 and P20 (X10 to X15): a PostgreSQL that
// refuses, waits, or ends a session in the middle.

#include <thread>

#include <gtest/gtest.h>

#include "fault/under_fault.hpp"

namespace spillway::test {
namespace {

using std::chrono::milliseconds;

// Ends sessions of the pipeline as often as it can until told to stop.
class Terminator {
 public:
  Terminator(UnderFault& test, const std::string& whose)
      : sql_{test.sql()},
        statement_{
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
            "datname = current_database() AND pid <> pg_backend_pid() AND " +
            whose} {}

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

Fault sql_fault(std::string name, std::string row, const std::string& begin,
                const std::string& end) {
  return {.name = std::move(name),
          .row = std::move(row),
          .begin = [begin](UnderFault& test) { test.sql().run(begin); },
          .end = [end](UnderFault& test) { test.sql().run(end); }};
}

constexpr const char* end_all_sessions =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
    "pid <> pg_backend_pid()";

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
  return fault;
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
      terminated("ItsWritersSessionIsEnded", "X12", "application_name LIKE '%writer%'"),
      terminated("ItsRelaysSessionIsEnded", "X13", "application_name LIKE '%relay%'"),
      while_held("ItsOutboxIsLocked", "X11",
                 {"BEGIN", "LOCK TABLE spillway.outbox IN ACCESS EXCLUSIVE MODE"}),
      sql_fault("ItsDiskIsFull", "X14", full_disk, "DROP FUNCTION spillway.full_disk CASCADE"),
      sql_fault("ItsTableIsMissing", "X15", rename + "gone",
                "ALTER TABLE spillway.gone RENAME TO outbox"),
      made_read_only(),
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

}  // namespace
}  // namespace spillway::test
