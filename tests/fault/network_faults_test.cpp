// tests/fault/network_faults_test.cpp: guards P4, P8, P13 and P20 (X4 to X7): what a network does
// to the connections between Spillway and each of its servers.

#include <gtest/gtest.h>

#include "fault/under_fault.hpp"

namespace spillway::test {
namespace {

using std::chrono::milliseconds;
using LinkOf = const Link UnderFault::*;

Fault on(LinkOf link, Fault fault, const std::function<void(const Link&)>& begin) {
  fault.begin = [link, begin](UnderFault& test) { begin(test.*link); };
  fault.end = [link](UnderFault& test) { (test.*link).mend(); };
  return fault;
}

std::vector<Fault> faults_of(LinkOf link, Copies copies) {
  using L = const Link&;
  return {
      on(link, {.name = "ItIsCut", .row = "X4", .copies = copies}, [](L it) { it.cut(); }),
      on(link, {.name = "ItIsSlow", .row = "X6", .copies = copies}, [](L it) { it.delay(250); }),
      on(link, {.name = "ItIsThin", .row = "X6", .copies = copies}, [](L it) { it.narrow(50); }),
      on(link, {.name = "ItIsReset", .row = "X5", .copies = copies},
         [](L it) { it.reset_after(50); }),
      on(link, {.name = "ItIsClosedInTheMiddle", .row = "X5", .copies = copies},
         [](L it) { it.close_after_bytes(20'000); }),
      on(link,
         {.name = "ItSwallowsAll", .row = "X7", .lasts = milliseconds{3'000}, .copies = copies},
         [](L it) { it.swallow(); }),
      on(link,
         {.name = "ItSwallowsAnswers", .row = "X7", .lasts = milliseconds{3'000}, .copies = copies},
         [](L it) { it.swallow_answers(); }),
  };
}

class NetworkFaults : public UnderFault, public ::testing::WithParamInterface<Cell> {};

TEST_P(NetworkFaults, LoseReorderAndDoubleNothing) {
  run(GetParam().fault, GetParam().phase);
}

// Each connection in the phase in which it matters most.
INSTANTIATE_TEST_SUITE_P(Kafka, NetworkFaults,
                         ::testing::ValuesIn(cells(faults_of(&UnderFault::kafka_link, Copies::none),
                                                   {Phase::direct})),
                         [](const auto& cell) { return name_of(cell); });
INSTANTIATE_TEST_SUITE_P(Postgres, NetworkFaults,
                         ::testing::ValuesIn(cells(faults_of(&UnderFault::postgres_link,
                                                             Copies::marked),
                                                   {Phase::spilling})),
                         [](const auto& cell) { return name_of(cell); });
INSTANTIATE_TEST_SUITE_P(Redis, NetworkFaults,
                         ::testing::ValuesIn(cells(faults_of(&UnderFault::redis_link, Copies::none),
                                                   {Phase::spilling})),
                         [](const auto& cell) { return name_of(cell); });
// The other phases: tools/faults runs them.
INSTANTIATE_TEST_SUITE_P(LongKafka, NetworkFaults,
                         ::testing::ValuesIn(cells(faults_of(&UnderFault::kafka_link, Copies::none),
                                                   {Phase::spilling, Phase::returning})),
                         [](const auto& cell) { return name_of(cell); });
INSTANTIATE_TEST_SUITE_P(LongPostgres, NetworkFaults,
                         ::testing::ValuesIn(cells(faults_of(&UnderFault::postgres_link,
                                                             Copies::marked),
                                                   {Phase::direct, Phase::returning})),
                         [](const auto& cell) { return name_of(cell); });
INSTANTIATE_TEST_SUITE_P(LongRedis, NetworkFaults,
                         ::testing::ValuesIn(cells(faults_of(&UnderFault::redis_link, Copies::none),
                                                   {Phase::direct, Phase::returning})),
                         [](const auto& cell) { return name_of(cell); });

}  // namespace
}  // namespace spillway::test
