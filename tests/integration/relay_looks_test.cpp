// tests/integration/relay_looks_test.cpp: guards P14: with tokens at once, without them by the
// ladder.

#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "spillway/relay.hpp"
#include "spillway/spillway.hpp"
#include "support/cpu_time.hpp"
#include "support/on_real_stack.hpp"

namespace spillway::test {
namespace {

using Rungs = std::vector<std::chrono::milliseconds>;

class RelayLooks : public OnRealStack {
 protected:
  // A relay of its own, as `spillway relay` is: no eventfd tells it of this process's rows.
  Config spilling() {
    Config settings = config();
    settings.lanes.force_spill = {0, 1};
    settings.relay.enabled = false;
    return settings;
  }
  static std::chrono::nanoseconds interval_of(const Relay& relay) {
    return std::chrono::nanoseconds{relay.report().relay.interval_ns};
  }
};

TEST_F(RelayLooks, LessAndLessOftenWithoutRedisAndFindsTheRowsAllTheSame) {
  const Killed redis{stack(), Server::redis};
  Pipeline pipeline = Pipeline::open(spilling());
  const Topic topic = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();
  Config settings = config();
  settings.relay.poll_start = 100ms;
  const Relay relay = Relay::open(settings);

  Rungs climbed;
  const auto climb_to = [&](std::chrono::milliseconds top) {
    return eventually(patience, [&] {
      const auto rung = std::chrono::duration_cast<std::chrono::milliseconds>(interval_of(relay));
      if (rung != 0s && (climbed.empty() || climbed.back() != rung)) climbed.push_back(rung);
      return rung == top;
    });
  };
  EXPECT_TRUE(climb_to(5s));
  EXPECT_EQ(climbed, (Rungs{100ms, 1s, 5s}));

  ASSERT_TRUE(publisher.publish(topic, "key", bytes_of("found by a look")));
  EXPECT_TRUE(eventually(patience, [&] { return relay.report().relay.relayed == 1; }));
  EXPECT_EQ(interval_of(relay), 100ms) << "work takes it back to the first rung";
  EXPECT_EQ(relay.report().relay.wakeups, 0);

  climbed.clear();
  EXPECT_TRUE(climb_to(5s));
  EXPECT_EQ(climbed, (Rungs{100ms, 1s, 5s}));
  expect_audit_clean();
}

TEST_F(RelayLooks, AtOnceWhenATokenComes) {
  Pipeline pipeline = Pipeline::open(spilling());
  const Topic topic = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();
  const Relay relay = Relay::open(config());
  ASSERT_TRUE(eventually(patience, [&] { return interval_of(relay) == 5s; }));
  const std::uint64_t scans = relay.report().relay.scans;

  ASSERT_TRUE(publisher.publish(topic, "key", bytes_of("told by a token")));

  EXPECT_TRUE(eventually(patience, [&] { return relay.report().relay.relayed == 1; }));
  EXPECT_GE(relay.report().relay.wakeups, 1);
  EXPECT_LE(relay.report().relay.scans, scans + 5) << "it looked because it was told to";
  expect_audit_clean();
}

TEST_F(RelayLooks, AtOnceWithoutRedisWhereTheRowsAreOfItsOwnProcess) {
  Config settings = config();
  settings.redis.url.clear();
  settings.lanes.force_spill = {0, 1};
  Pipeline pipeline = Pipeline::open(settings);
  const Topic topic = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();
  const auto relay = [&] { return pipeline.counters().relay; };
  ASSERT_TRUE(
      eventually(patience, [&] { return std::chrono::nanoseconds{relay().interval_ns} == 5s; }));
  const std::uint64_t scans = relay().scans;

  ASSERT_TRUE(publisher.publish(topic, "key", bytes_of("told by the writer")));

  EXPECT_TRUE(eventually(4s, [&] { return relay().relayed == 1; }))
      << "sooner than the 5 s of its interval";
  EXPECT_GT(relay().scans, scans);
  expect_audit_clean();
}

// Its look is due all the time, and cannot be begun.
TEST_F(RelayLooks, WithoutTurningOnTheSpotWhilePostgresIsAway) {
  Config settings = config();
  settings.postgres.conninfo = "host=127.0.0.1 port=1";
  const Relay relay = Relay::open(settings);
  constexpr std::chrono::milliseconds time{1'000};

  const auto before = cpu_of(CLOCK_PROCESS_CPUTIME_ID);
  std::this_thread::sleep_for(time);

  EXPECT_LT(cpu_of(CLOCK_PROCESS_CPUTIME_ID) - before, time / 2);
}

// Not asserted: a figure of this machine at this moment. perf/ judges it.
TEST_F(RelayLooks, OftenEnoughForAProcessingDelayThatIsPrinted) {
  Config settings = config();
  settings.lanes.force_spill = {0};
  Pipeline pipeline = Pipeline::open(settings);
  program::LoadGenerator load = load_on(pipeline, 2'000);
  ASSERT_TRUE(eventually(patience, [&] { return pipeline.counters().relay.relayed > 2'000; }));
  load.stop();
  ASSERT_TRUE(pipeline.flush(std::chrono::steady_clock::now() + patience));
  ASSERT_TRUE(eventually(patience, [&] { return outbox_rows() == 0; }));

  const Metrics seen = pipeline.metrics();

  EXPECT_GT(seen.relay.wakeups, 0);
  EXPECT_GT(seen.outbox_processing_delay.count, 0);
  std::printf("outbox_processing_delay of %llu rows: p50 %.2f ms, p99 %.2f ms\n",
              static_cast<unsigned long long>(seen.outbox_processing_delay.count),
              static_cast<double>(seen.outbox_processing_delay.p50_ns) / 1e6,
              static_cast<double>(seen.outbox_processing_delay.p99_ns) / 1e6);
  expect_audit_clean();
}

}  // namespace
}  // namespace spillway::test
