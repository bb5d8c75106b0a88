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
  // From now on no answer comes. Everything is spilled, so Postgres has more than `pipeline` has
  // counted if a COMMIT was under way, and not a mere question.
  [[nodiscard]] bool cut_off_a_commit(const Pipeline& pipeline) const {
    postgres_link.swallow_answers();
    return eventually(std::chrono::seconds{2}, [&] {
      const std::uint64_t written = written_through();
      return written > pipeline.counters().spilled;
    });
  }
};

TEST_F(CommitInDoubt, IsAskedAboutAndNotRepeated) {
  constexpr double per_second = 1'000;
  constexpr int doubts_wanted = 3;
  constexpr int tries_max = 30;
  Config settings = proxied_config();
  settings.relay.enabled = false;
  settings.lanes.force_spill = {0, 1};
  Pipeline pipeline = Pipeline::open(settings);
  program::LoadGenerator load = load_on(pipeline, per_second);
  Process relay{spillway({"relay"})};

  int doubts = 0;
  for (int tries = 0; doubts < doubts_wanted && tries < tries_max; ++tries) {
    const std::uint64_t before = pipeline.counters().spilled;
    ASSERT_TRUE(eventually(patience, [&] { return pipeline.counters().spilled > before + 200; }));
    if (cut_off_a_commit(pipeline)) {
      ++doubts;
      EXPECT_TRUE(eventually(patience, [&] { return relayed_through() >= written_through(); }))
          << relay.output();
    }
    postgres_link.mend();
  }
  EXPECT_EQ(doubts, doubts_wanted);
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
