// tests/fault/commit_in_doubt_test.cpp: guards P4, P7 and P8 (X12): a COMMIT that came through, and
// whose answer did not.
//
// The relay has its own way to Postgres, so the rows in doubt have been sent and removed before the
// writer can ask. Rows written once more would meet no key of theirs: they would be copies without
// a mark.

#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "fault/under_fault.hpp"
#include "support/process.hpp"

namespace spillway::test {
namespace {

class CommitInDoubt : public UnderFault {
 protected:
  [[nodiscard]] std::uint64_t written_through() const {
    return std::stoull(sql().value("SELECT sum(written_through) FROM spillway.stream"));
  }
  [[nodiscard]] bool writer_waits() const {
    return sql().value(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
               "AND application_name = 'spillway-writer' AND wait_event_type = 'Lock'") != "0";
  }
  // Each COPY has a gate behind its last row, where it waits while somebody holds the lock.
  void build_gate() const {
    sql().run(
        "CREATE FUNCTION spillway.gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END $$; "
        "CREATE TRIGGER gate AFTER INSERT ON spillway.outbox FOR EACH STATEMENT EXECUTE FUNCTION "
        "spillway.gate()");
  }
  // One that waits there is let through when no answer comes through any more.
  void cut_off_a_commit() const {
    testing::SqlSession gatekeeper = sql();
    gatekeeper.run("SELECT pg_advisory_lock(1)");
    ASSERT_TRUE(eventually(patience, [this] { return writer_waits(); }));
    postgres_link.swallow_answers();
  }
};

TEST_F(CommitInDoubt, IsAskedAboutAndNotRepeated) {
  constexpr double per_second = 1'000;
  constexpr int doubts = 3;
  build_gate();
  Config settings = proxied_config();
  settings.relay.enabled = false;
  settings.lanes.force_spill = {0, 1};
  Pipeline pipeline = Pipeline::open(settings);
  program::LoadGenerator load = load_on(pipeline, per_second);
  Process relay{spillway({"relay"})};

  for (int times = 0; times < doubts; ++times) {
    const std::uint64_t before = pipeline.counters().spilled;
    ASSERT_TRUE(eventually(patience, [&] { return pipeline.counters().spilled > before + 200; }));
    cut_off_a_commit();
    // Everything is spilled, so Postgres has more than the writer knows of, and soon had.
    EXPECT_TRUE(eventually(patience, [&] {
      return relayed_through() > pipeline.counters().spilled &&
             relayed_through() == written_through();
    })) << relay.output();
    postgres_link.mend();
  }
  load.stop();
  EXPECT_TRUE(pipeline.flush(std::chrono::steady_clock::now() + patience));
  EXPECT_TRUE(eventually(patience, [&] { return outbox_rows() == 0; })) << relay.output();
  relay.signal(SIGTERM);
  EXPECT_EQ(relay.ended_within(patience), 0) << relay.output();

  EXPECT_EQ(relayed_through(), pipeline.counters().spilled);
  expect_audit_clean();
}

}  // namespace
}  // namespace spillway::test
