// tests/fault/redis_away_test.cpp: guards P14 (X17): a token is a hint, and its loss costs an
// interval.

#include <gtest/gtest.h>

#include "spillway/spillway.hpp"
#include "support/on_real_stack.hpp"

namespace spillway::test {
namespace {

class RedisAway : public OnRealStack {
 protected:
  // The rows arrive by the relay's own looks while `fault` lasts.
  void spill_and_drain_without_tokens() {
    Pipeline pipeline = Pipeline::open(config());
    program::LoadGenerator load = load_on(pipeline);
    ASSERT_TRUE(eventually(patience, [&] { return pipeline.counters().delivered > 1'000; }));

    {
      const Paused broker{stack(), Server::kafka};
      EXPECT_TRUE(eventually(patience, [&] { return pipeline.counters().spilled > 3'000; }));
    }
    EXPECT_TRUE(eventually(patience, [&] { return all_direct(pipeline.counters()); }));
    load.stop();
    EXPECT_TRUE(ends_quiet(pipeline));

    const Metrics seen = pipeline.counters();
    EXPECT_EQ(seen.relay.wakeups, 0);
    EXPECT_GT(seen.relay.relayed, 3'000);
    expect_conserved(seen);
    expect_audit_clean(copies_of(seen));
  }
};

TEST_F(RedisAway, SpillsAndDrainsWhenItIsDeadThroughout) {
  const Killed redis{stack(), Server::redis};

  spill_and_drain_without_tokens();
}

TEST_F(RedisAway, SpillsAndDrainsWhenItHangsThroughout) {
  const Paused redis{stack(), Server::redis};

  spill_and_drain_without_tokens();
}

}  // namespace
}  // namespace spillway::test
