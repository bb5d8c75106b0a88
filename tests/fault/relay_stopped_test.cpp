// tests/fault/relay_stopped_test.cpp: guards P8 and P17 (X21): a relay that is stopped for longer
// than its lease, and goes on when another one has taken over.

#include <chrono>
#include <csignal>
#include <string>

#include <gtest/gtest.h>

#include "spillway/spillway.hpp"
#include "support/on_real_stack.hpp"
#include "support/process.hpp"

namespace spillway::test {
namespace {

class RelayStopped : public OnRealStack {};

TEST_F(RelayStopped, LosesItsLeasesToAnotherAndMarksWhatItMayHaveSent) {
  Config settings = config();
  settings.relay.enabled = false;
  settings.lanes.force_spill = {0, 1};
  Pipeline pipeline = Pipeline::open(settings);
  program::LoadGenerator load = load_on(pipeline, 1'000);
  Process stopped{spillway({"relay", "--set", "relay.lease_timeout=6s"})};
  ASSERT_TRUE(eventually(patience, [&] { return relayed_through() > 500; })) << stopped.output();

  stopped.signal(SIGSTOP);
  const std::uint64_t when_stopped = relayed_through();
  Process other{spillway({"relay"})};
  EXPECT_TRUE(eventually(patience, [&] { return relayed_through() > when_stopped + 1'000; }))
      << other.output();
  stopped.signal(SIGCONT);
  const std::uint64_t when_continued = relayed_through();
  EXPECT_TRUE(eventually(patience, [&] { return relayed_through() > when_continued + 2'000; }))
      << other.output();

  load.stop();
  EXPECT_TRUE(pipeline.flush(std::chrono::steady_clock::now() + patience));
  EXPECT_TRUE(eventually(patience, [&] { return outbox_rows() == 0; })) << other.output();
  for (Process* const relay : {&stopped, &other}) {
    relay->signal(SIGTERM);
    EXPECT_EQ(relay->ended_within(patience), 0) << relay->output();
  }
  expect_audit_clean(Copies::marked);
}

}  // namespace
}  // namespace spillway::test
