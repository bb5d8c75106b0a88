// tests/fault/owner_killed_for_good_test.cpp: guards P4, P8 and P15: held rows of a dead owner are
// adopted, and its journal is drained.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/on_real_stack.hpp"
#include "support/process.hpp"

namespace spillway::test {
namespace {

TEST_F(OnRealStack, ADeadOwnersHeldRowsAreAdoptedByAnotherProcessesRelay) {
  const std::string until_killed = "0";
  std::vector<std::string> words = spillway_load(until_killed);
  words.insert(words.end(), {"--relay", "off"});
  Process owner{words};
  ASSERT_TRUE(eventually(patience, [&] { return accepted() > 2'000; })) << owner.output();
  const Process relay{spillway({"relay", "--set", "relay.owner_grace=1s"})};
  {
    const Paused broker{stack(), Server::kafka};
    ASSERT_TRUE(eventually(patience, [&] { return held_rows() > 0 && outbox_rows() > 2'000; }))
        << owner.output();
    owner.kill();
  }

  EXPECT_TRUE(eventually(patience, [&] { return outbox_rows() == 0; })) << relay.output();
  // What had not been spilled yet is in the journal alone.
  run(spillway({"journal", "drain", file("journal")}));
  EXPECT_TRUE(eventually(patience, [&] { return outbox_rows() == 0; })) << relay.output();

  expect_audit_clean(Copies::marked);
}

}  // namespace
}  // namespace spillway::test
