// tests/fault/snapshot_held_test.cpp: guards P4 and P20 (X16): a transaction that somebody leaves
// open, while rows pass through the outbox.
//
// Nothing that is removed meanwhile can be cleaned up: whoever looked for the first row of a stream
// would step over every row that ever was there. The relay reads and removes from where it has
// stopped, so a row costs as much as ever. Counted in blocks, which a busy machine does not change.

#include <chrono>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "fault/under_fault.hpp"

namespace spillway::test {
namespace {

class SnapshotHeld : public UnderFault {
 protected:
  [[nodiscard]] double blocks_of(const std::string& table) const {
    return std::stod(
        sql().value("SELECT heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read FROM "
                    "pg_statio_user_tables WHERE schemaname = 'spillway' AND relname = '" +
                    table + "'"));
  }
  [[nodiscard]] std::uint64_t dead_rows() const {
    return std::stoull(
        sql().value("SELECT n_dead_tup FROM pg_stat_user_tables WHERE schemaname = 'spillway' AND "
                    "relname = 'outbox'"));
  }
  static void await_relayed(const Pipeline& pipeline, std::uint64_t rows) {
    ASSERT_TRUE(eventually(patience, [&] { return pipeline.counters().relay.relayed >= rows; }))
        << pipeline.counters().relay.relayed << " of " << rows;
  }
  // Blocks of the outbox for each of the next `rows` that the relay forwards.
  [[nodiscard]] double blocks_for_each_of(std::uint64_t rows, const Pipeline& pipeline) const {
    const std::uint64_t from = pipeline.counters().relay.relayed;
    const double before = blocks_of("outbox");
    await_relayed(pipeline, from + rows);
    return (blocks_of("outbox") - before) / static_cast<double>(rows);
  }
};

TEST_F(SnapshotHeld, MakesNoRowMoreExpensiveThanTheFirst) {
  constexpr double per_second = 2'000;
  constexpr std::uint64_t window = 8'000;  // seconds: a session tells its counts once in one
  Config settings = proxied_config();
  settings.lanes.force_spill = {0, 1};
  std::optional<testing::SqlSession> holder{sql()};
  holder->run("BEGIN ISOLATION LEVEL REPEATABLE READ");
  holder->run("SELECT count(*) FROM spillway.outbox");
  Pipeline pipeline = Pipeline::open(settings);
  program::LoadGenerator load = load_on(pipeline, per_second);
  await_relayed(pipeline, window / 4);

  const double first = blocks_for_each_of(window, pipeline);
  await_relayed(pipeline, 3 * window);
  const double last = blocks_for_each_of(window, pipeline);
  std::cout << first << " blocks for each row, and " << last << " after " << 3 * window
            << " rows\n";
  EXPECT_LE(last, 2 * first);
  load.stop();
  EXPECT_TRUE(pipeline.flush(std::chrono::steady_clock::now() + patience));
  EXPECT_TRUE(eventually(patience, [&] { return outbox_rows() == 0; }));

  // It ends, and no session of ours keeps anything back.
  EXPECT_GT(dead_rows(), 3 * window);
  holder.reset();
  EXPECT_TRUE(eventually(patience, [&] {
    sql().run("VACUUM spillway.outbox");
    return dead_rows() == 0;
  }));
  EXPECT_TRUE(eventually(patience, [&] { return pipeline.counters().outbox_queue_depth == 0; }));
  const Metrics seen = pipeline.counters();
  expect_conserved(seen);
  expect_audit_clean(copies_of(seen));
}

}  // namespace
}  // namespace spillway::test
