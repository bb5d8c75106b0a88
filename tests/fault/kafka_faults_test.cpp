// tests/fault/kafka_faults_test.cpp: guards P3, P4, P8 and P20 (X1, X3): what happens to a broker
// and to the topic while envelopes are on their way.

#include <gtest/gtest.h>

#include "fault/under_fault.hpp"

namespace spillway::test {
namespace {

using std::chrono::milliseconds;

Fault hangs(std::string name, milliseconds lasts) {
  return {.name = std::move(name),
          .row = "X3",
          .begin = [](UnderFault& test) { test.stack().pause(Server::kafka); },
          .end = [](UnderFault& test) { test.stack().resume(Server::kafka); },
          .lasts = lasts,
          .expect =
              [](UnderFault&, const Metrics& seen) {
                EXPECT_EQ(sum(seen, &LaneMetrics::recalls), 0) << "a hang kills no producer";
              }};
}

Fault killed(std::string name, milliseconds lasts) {
  return {.name = std::move(name),
          .row = "X1",
          .begin = [](UnderFault& test) { test.stack().kill(Server::kafka); },
          .end = [](UnderFault& test) { test.stack().start(Server::kafka); },
          .lasts = lasts};
}

std::vector<Fault> usual_faults() {
  return {
      killed("ItIsKilled", milliseconds{500}),
      {.name = "ItIsRestarted",
       .row = "X1",
       .begin = [](UnderFault& test) { test.stack().restart(Server::kafka); },
       .end = [](UnderFault&) {},
       .lasts = milliseconds{0}},
      hangs("ItHangsForASecond", milliseconds{1'000}),
  };
}

// It ends by itself, in the middle of a batch that it was writing, and is started when there is
// room.
Fault has_a_full_disk() {
  constexpr std::size_t mebibyte = std::size_t{1} << 20;
  return {.name = "ItsDiskIsFull",
          .row = "X1",
          .begin = [](UnderFault& test) { test.stack().limit_files(Server::kafka, mebibyte); },
          .end =
              [](UnderFault& test) {
                EXPECT_TRUE(eventually(UnderFault::patience, [&] {
                  return !test.stack().runs(Server::kafka);
                })) << "there is room on its disk";
                test.stack().start(Server::kafka);
              },
          .lasts = milliseconds{1'000}};
}

std::vector<Fault> long_faults() {
  return {
      hangs("ItHangsForTwoHundredMilliseconds", milliseconds{200}),
      hangs("ItHangsForTenSeconds", milliseconds{10'000}),
      killed("ItIsKilledForFiveSeconds", milliseconds{5'000}),
      killed("ItIsKilledForAMinute", milliseconds{60'000}),
      has_a_full_disk(),
      {.name = "ItIsKilledTenTimes",
       .row = "X4",
       .begin =
           [](UnderFault& test) {
             for (int times = 0; times < 10; ++times) {
               test.stack().kill(Server::kafka);
               test.stack().start(Server::kafka);
             }
           },
       .end = [](UnderFault&) {},
       .lasts = milliseconds{0}},
  };
}

class KafkaFaults : public UnderFault, public ::testing::WithParamInterface<Cell> {};

TEST_P(KafkaFaults, LoseReorderAndDoubleNothing) {
  run(GetParam().fault, GetParam().phase);
}

INSTANTIATE_TEST_SUITE_P(Usual, KafkaFaults,
                         ::testing::ValuesIn(cells(usual_faults(), {Phase::direct})),
                         [](const auto& cell) { return name_of(cell); });
INSTANTIATE_TEST_SUITE_P(Long, KafkaFaults,
                         ::testing::ValuesIn(cells(usual_faults(),
                                                   {Phase::spilling, Phase::returning})),
                         [](const auto& cell) { return name_of(cell); });
INSTANTIATE_TEST_SUITE_P(LongMore, KafkaFaults,
                         ::testing::ValuesIn(cells(long_faults(),
                                                   {Phase::direct, Phase::returning})),
                         [](const auto& cell) { return name_of(cell); });

// X4: a connection that comes and goes must not make a lane come and go with it.
TEST_F(UnderFault, TripsSeldomWhileTheConnectionFlaps) {
  Pipeline pipeline = Pipeline::open(proxied_config());
  program::LoadGenerator load = load_on(pipeline);
  ASSERT_TRUE(eventually(patience, [&] { return pipeline.counters().delivered > 1'000; }));

  constexpr int flaps = 15;
  for (int times = 0; times < flaps; ++times) {
    kafka_link.cut();
    std::this_thread::sleep_for(milliseconds{200});
    kafka_link.mend();
    std::this_thread::sleep_for(milliseconds{200});
  }
  // Six seconds, and three changes of state for each trip: two in a second.
  for (const LaneMetrics& lane : pipeline.counters().lanes)
    EXPECT_LE(lane.trips, 4);

  EXPECT_TRUE(eventually(patience, [&] { return all_direct(pipeline.counters()); }));
  load.stop();
  EXPECT_TRUE(ends_quiet(pipeline));
  expect_audit_clean(copies_of(pipeline.counters()));
}

// X2: shorter than its patience, a hang is nobody's business.
TEST_F(UnderFault, SpillsNothingWhenTheBrokerHangsForHalfOfItsPatience) {
  Config settings = proxied_config();
  settings.lanes.failover_after = std::chrono::milliseconds{6'000};
  settings.kafka.properties["socket.timeout.ms"] = "30000";  // would be evidence, not silence
  Pipeline pipeline = Pipeline::open(settings);
  program::LoadGenerator load = load_on(pipeline);
  ASSERT_TRUE(eventually(patience, [&] { return pipeline.counters().delivered > 1'000; }));

  {
    const Paused broker{stack(), Server::kafka};
    std::this_thread::sleep_for(milliseconds{3'000});
  }
  load.stop();
  EXPECT_TRUE(ends_quiet(pipeline));

  const Metrics seen = pipeline.counters();
  EXPECT_EQ(sum(seen, &LaneMetrics::trips), 0);
  EXPECT_EQ(seen.spilled, 0);
  expect_audit_clean();
}

}  // namespace
}  // namespace spillway::test
