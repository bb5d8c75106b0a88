// tests/fault/all_servers_away_test.cpp: guards P4, P12 and P20 (X22): the journal is the last
// store.

#include <optional>

#include <gtest/gtest.h>

#include "spillway/spillway.hpp"
#include "support/on_real_stack.hpp"

namespace spillway::test {
namespace {

TEST_F(OnRealStack, KeepsWhatItAcceptedWhenAllThreeServersAreAwayAndDrainsWhenTheyReturn) {
  constexpr std::size_t small_journal = std::size_t{8} << 20;
  Config settings = config();
  settings.journal.size_bytes = small_journal;
  settings.lanes.window_bytes = small_journal / 4;
  Pipeline pipeline = Pipeline::open(settings);
  program::LoadGenerator load = load_on(pipeline);
  ASSERT_TRUE(eventually(patience, [&] { return pipeline.counters().delivered > 1'000; }));

  {
    const Killed redis{stack(), Server::redis};
    const Killed postgres{stack(), Server::postgres};
    const Killed broker{stack(), Server::kafka};
    // Until the journal is full: from then on nothing more is accepted, and so nothing can be lost.
    EXPECT_TRUE(eventually(patience, [&] { return pipeline.counters().journal_full > 0; }));
    EXPECT_GT(pipeline.counters().in_flight, 10'000);
  }
  EXPECT_TRUE(eventually(patience, [&] { return all_direct(pipeline.counters()); }));
  load.stop();
  EXPECT_TRUE(ends_quiet(pipeline));

  const Metrics seen = pipeline.counters();
  expect_conserved(seen);
  expect_audit_clean(copies_of(seen));
}

}  // namespace
}  // namespace spillway::test
