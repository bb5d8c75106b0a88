// tests/fault/service_faults_test.cpp: guards P2, P4, P6, P7 and P20 (X22): Spillway itself killed,
// or stopped and continued, in each state of its lanes.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/on_real_stack.hpp"
#include "support/process.hpp"
#include "support/toxiproxy.hpp"

namespace spillway::test {
namespace {

using std::chrono::milliseconds;

class ServiceFaults : public OnRealStack, public ::testing::WithParamInterface<const char*> {
 protected:
  ServiceFaults() { kafka_link_.mend(); }
  void TearDown() override {
    kafka_link_.mend();
    OnRealStack::TearDown();
  }

  // Goes on until it is told to end, or killed.
  std::vector<std::string> endless_load() {
    std::vector<std::string> words = spillway_load("0");
    *std::next(std::ranges::find(words, "--kafka")) = proxied_kafka();
    return words;
  }
  // Its lanes are in the state that the parameter names, or were a moment ago.
  void reach_state(const Process& load) {
    const std::uint64_t before = accepted();
    ASSERT_TRUE(eventually(patience, [&] { return accepted() > before + 2'000; })) << load.output();
    if (GetParam() == std::string{"Direct"}) return;
    kafka_link_.cut();
    ASSERT_TRUE(eventually(patience, [&] { return outbox_rows() > 2'000; })) << load.output();
    if (GetParam() == std::string{"Returning"}) kafka_link_.mend();
  }

  const Link kafka_link_{Server::kafka};
};

TEST_P(ServiceFaults, KilledItLosesReordersAndDoublesNothing) {
  for (int times = 0; times < 2; ++times) {
    Process load{endless_load()};
    reach_state(load);
    load.kill();
    kafka_link_.mend();
  }

  Process load{endless_load()};
  expect_ends_clean(load);
}

TEST_P(ServiceFaults, StoppedAndContinuedItLosesReordersAndDoublesNothing) {
  Process load{endless_load()};
  reach_state(load);
  load.signal(SIGSTOP);
  std::this_thread::sleep_for(milliseconds{3'000});
  kafka_link_.mend();
  load.signal(SIGCONT);

  expect_ends_clean(load);
}

INSTANTIATE_TEST_SUITE_P(While, ServiceFaults, ::testing::Values("Direct", "Spilling", "Returning"),
                         [](const auto& state) { return std::string{state.param}; });

}  // namespace
}  // namespace spillway::test
