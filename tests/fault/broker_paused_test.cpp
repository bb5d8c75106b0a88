// tests/fault/broker_paused_test.cpp: guards P4, P8 and P15 (X3 of the fault table).
//
// What is with librdkafka when a broker hangs is appended as soon as it wakes up. Sent a second
// time it would be there twice: it is held instead, and so there is no copy of anything, marked or
// not.

#include <gtest/gtest.h>

#include "spillway/spillway.hpp"
#include "support/on_real_stack.hpp"

namespace spillway::test {
namespace {

TEST_F(OnRealStack, CopiesNothingWhenTheBrokerHangsForFiveSeconds) {
  Pipeline pipeline = Pipeline::open(config());
  program::LoadGenerator load = load_on(pipeline);
  ASSERT_TRUE(gets_direct(pipeline, 2'500));

  {
    const Paused broker{stack(), Server::kafka};
    const auto until = std::chrono::steady_clock::now() + 5s;
    EXPECT_TRUE(eventually(patience, [&] { return held_rows() > 0; }));
    EXPECT_TRUE(eventually(patience, [&] {
      return pipeline.counters().spilled > 5'000 && std::chrono::steady_clock::now() > until;
    }));
  }
  EXPECT_TRUE(eventually(patience, [&] { return all_direct(pipeline.counters()); }));
  load.stop();
  EXPECT_TRUE(ends_quiet(pipeline));

  const Metrics seen = pipeline.counters();
  EXPECT_EQ(sum(seen, &LaneMetrics::recalls), 0) << "a hang is no reason for a fatal error";
  EXPECT_GT(sum(seen, &LaneMetrics::held_copies), 0);
  expect_conserved(seen);
  expect_audit_clean();
}

}  // namespace
}  // namespace spillway::test
