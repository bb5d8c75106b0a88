// tests/fault/postgres_killed_while_spilling_test.cpp: guards P4 and P7 (X10): commits in doubt.

#include <gtest/gtest.h>

#include "spillway/spillway.hpp"
#include "support/on_real_stack.hpp"

namespace spillway::test {
namespace {

TEST_F(OnRealStack, WritesEachRowOnceWhenPostgresIsKilledWhileItSpills) {
  Pipeline pipeline = Pipeline::open(config());
  program::LoadGenerator load = load_on(pipeline);
  ASSERT_TRUE(eventually(patience, [&] { return pipeline.counters().delivered > 1'000; }));

  {
    const Paused broker{stack(), Server::kafka};
    for (int times = 0; times < 2; ++times) {
      const std::uint64_t before = pipeline.counters().spilled;
      ASSERT_TRUE(
          eventually(patience, [&] { return pipeline.counters().spilled > before + 2'000; }));
      const Killed postgres{stack(), Server::postgres};
      const std::uint64_t accepted = pipeline.counters().accepted;
      EXPECT_TRUE(eventually(patience, [&] {
        return pipeline.counters().accepted > accepted + 1'000;
      })) << "the journal holds what Postgres does not take";
    }
  }
  EXPECT_TRUE(eventually(patience, [&] { return all_direct(pipeline.counters()); }));
  load.stop();
  EXPECT_TRUE(ends_quiet(pipeline));

  // The relay's lease ended with Postgres: what it may have sent under it, it sends again, marked.
  expect_audit_clean(Copies::marked);
}

}  // namespace
}  // namespace spillway::test
