// tests/fault/broker_killed_under_load_test.cpp: guards P1, P3, P4, P8, P10 and P20.
//
// A copy is allowed only when the log names a fatal producer error, and then it is marked.

#include <gtest/gtest.h>

#include "spillway/spillway.hpp"
#include "support/on_real_stack.hpp"

namespace spillway::test {
namespace {

TEST_F(OnRealStack, LosesNothingWhenTheBrokerIsKilledUnderLoadAndStartedAgain) {
  Pipeline pipeline = Pipeline::open(config());
  program::LoadGenerator load = load_on(pipeline);
  ASSERT_TRUE(eventually(patience, [&] { return pipeline.counters().delivered > 2'500; }));

  {
    const Killed broker{stack(), Server::kafka};
    EXPECT_TRUE(eventually(patience, [&] { return pipeline.counters().spilled > 5'000; }));
  }
  EXPECT_TRUE(eventually(patience, [&] { return all_direct(pipeline.counters()); }));
  load.stop();
  EXPECT_TRUE(ends_quiet(pipeline));

  const Metrics seen = pipeline.counters();
  EXPECT_GE(sum(seen, &LaneMetrics::trips), 1);
  expect_conserved(seen);
  expect_audit_clean(copies_of(seen));
}

}  // namespace
}  // namespace spillway::test
