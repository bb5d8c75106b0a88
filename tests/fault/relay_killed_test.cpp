// tests/fault/relay_killed_test.cpp: guards P8, P17 and P18 (X20): another relay takes the leases
// over.
//
// SPILLWAY_TEST_ROUNDS says how often one is killed (3 unless it is set).

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "fault/under_fault.hpp"
#include "spillway/spillway.hpp"
#include "support/on_real_stack.hpp"
#include "support/process.hpp"

namespace spillway::test {
namespace {

class RelayKilled : public OnRealStack {
 protected:
  std::unique_ptr<Process> start_relay() { return std::make_unique<Process>(spillway({"relay"})); }
};

TEST_F(RelayKilled, LosesNothingAndMarksWhatItMayHaveSent) {
  Config settings = config();
  settings.relay.enabled = false;
  settings.lanes.force_spill = {0, 1};
  Pipeline pipeline = Pipeline::open(settings);
  program::LoadGenerator load = load_on(pipeline);
  std::unique_ptr<Process> holder = start_relay();
  ASSERT_TRUE(eventually(patience, [&] { return relayed_through() > 2'000; })) << holder->output();

  const std::uint64_t kills = number_from("SPILLWAY_TEST_ROUNDS", 3);
  for (std::uint64_t times = 0; times < kills; ++times) {
    std::unique_ptr<Process> other = start_relay();
    const std::uint64_t before = relayed_through();
    ASSERT_TRUE(eventually(patience, [&] { return relayed_through() > before + 1'000; }));
    holder->kill();
    const std::uint64_t at_its_death = relayed_through();
    EXPECT_TRUE(eventually(patience, [&] { return relayed_through() > at_its_death + 3'000; }))
        << other->output();
    holder = std::move(other);
  }
  load.stop();
  EXPECT_TRUE(pipeline.flush(std::chrono::steady_clock::now() + patience));
  EXPECT_TRUE(eventually(patience, [&] { return outbox_rows() == 0; })) << holder->output();

  holder->signal(SIGTERM);
  EXPECT_EQ(holder->ended_within(patience), 0) << holder->output();
  expect_audit_clean(Copies::marked);
}

}  // namespace
}  // namespace spillway::test
