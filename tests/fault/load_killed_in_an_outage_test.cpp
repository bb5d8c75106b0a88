// tests/fault/load_killed_in_an_outage_test.cpp: guards P2, P4, P6 and P7 (X22): accepted survives
// a SIGKILL of the process, on the journal that it left.

#include <csignal>
#include <string>

#include <gtest/gtest.h>

#include "support/on_real_stack.hpp"
#include "support/process.hpp"

namespace spillway::test {
namespace {

class LoadKilled : public OnRealStack {};

TEST_F(LoadKilled, InTheMiddleOfAnOutageHasLostNothingWhenItIsStartedAgain) {
  const std::string until_ended = "0";
  {
    Process load{spillway_load(until_ended)};
    ASSERT_TRUE(eventually(patience, [&] { return accepted() > 2'000; })) << load.output();
    const Paused broker{stack(), Server::kafka};
    ASSERT_TRUE(eventually(patience, [&] { return outbox_rows() > 2'000; })) << load.output();
    load.kill();

    // A second death, of a process that was recovering.
    Process again{spillway_load(until_ended)};
    const std::uint64_t before = accepted();
    ASSERT_TRUE(eventually(patience, [&] { return accepted() > before + 2'000; }))
        << again.output();
    again.kill();
  }

  Process load{spillway_load(until_ended)};
  // What was with librdkafka when the process was killed may be in Kafka: it is sent again, marked.
  expect_ends_clean(load);
}

}  // namespace
}  // namespace spillway::test
