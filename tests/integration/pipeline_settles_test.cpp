// tests/integration/pipeline_settles_test.cpp: guards P10, P11 and P21: wait, flush, close,
// counters.

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "spillway/spillway.hpp"
#include "support/on_real_stack.hpp"

namespace spillway::test {
namespace {

Deadline in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

class PipelineSettles : public OnRealStack {
 protected:
  std::optional<Ticket> publish(Publisher& publisher, Topic topic, int n = 0) {
    return publisher.publish(topic, "key", bytes_of(std::to_string(n))).ticket();
  }
};

TEST_F(PipelineSettles, WaitTellsWhenKafkaHasTheEnvelope) {
  Pipeline pipeline = Pipeline::open(config());
  const Topic topic = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();

  const auto ticket = publish(publisher, topic);

  ASSERT_TRUE(ticket);
  EXPECT_EQ(pipeline.wait(*ticket, in(patience)), Outcome::settled);
  EXPECT_EQ(pipeline.counters().in_flight, 0);
  EXPECT_EQ(pipeline.wait(*ticket, in(0s)), Outcome::settled) << "and stays so";
}

TEST_F(PipelineSettles, WaitTellsWhenTheOutboxHasIt) {
  Config settings = config();
  settings.lanes.force_spill = {0, 1};
  settings.relay.enabled = false;
  Pipeline pipeline = Pipeline::open(settings);
  const Topic topic = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();

  const auto ticket = publish(publisher, topic);

  ASSERT_TRUE(ticket);
  EXPECT_EQ(pipeline.wait(*ticket, in(patience)), Outcome::settled);
  EXPECT_EQ(outbox_rows(), 1);
}

TEST_F(PipelineSettles, WaitAndFlushGiveUpAtTheirDeadlineWhileNothingCanTakeIt) {
  const Killed postgres{stack(), Server::postgres};
  const Paused broker{stack(), Server::kafka};
  Config settings = config();
  settings.kafka.ready_within = 100ms;
  settings.kafka.topic_within = 100ms;
  settings.close_within = 0ms;
  Pipeline pipeline = Pipeline::open(settings);
  const Topic topic = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();

  const auto ticket = publish(publisher, topic);

  ASSERT_TRUE(ticket);
  EXPECT_EQ(pipeline.wait(*ticket, in(200ms)), Outcome::pending);
  EXPECT_FALSE(pipeline.flush(in(200ms)));
}

TEST_F(PipelineSettles, FlushCoversAllThatWasAcceptedBeforeIt) {
  Pipeline pipeline = Pipeline::open(config());
  const Topic topic = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();
  std::vector<Ticket> tickets;
  for (int n = 0; n < 5'000; ++n) {
    const auto ticket = publish(publisher, topic, n);
    ASSERT_TRUE(ticket);
    tickets.push_back(*ticket);
  }

  ASSERT_TRUE(pipeline.flush(in(patience)));

  for (const Ticket& ticket : tickets)
    EXPECT_EQ(pipeline.wait(ticket, in(0s)), Outcome::settled);
  EXPECT_TRUE(ends_quiet(pipeline)) << "settled may mean that the outbox has it";
  expect_audit_clean();
}

TEST_F(PipelineSettles, CloseSaysWhatIsLeftAndTheNextOpenDeliversIt) {
  {
    Pipeline pipeline = Pipeline::open(config());
    program::LoadGenerator load = load_on(pipeline);
    ASSERT_TRUE(eventually(patience, [&] { return pipeline.counters().delivered > 500; }));
    const Killed postgres{stack(), Server::postgres};
    const Paused broker{stack(), Server::kafka};
    const std::uint64_t before = pipeline.counters().accepted;
    ASSERT_TRUE(
        eventually(patience, [&] { return pipeline.counters().accepted > before + 2'000; }));

    // As a service does on SIGTERM.
    load.stop();
    EXPECT_FALSE(pipeline.close(in(200ms)));
    EXPECT_GT(pipeline.counters().in_flight, 1'500);
    EXPECT_FALSE(pipeline.close(in(patience))) << "again: the same answer";
  }

  Pipeline pipeline = Pipeline::open(config());
  EXPECT_TRUE(ends_quiet(pipeline));
  EXPECT_GT(pipeline.counters().recovered, 1'500);
  EXPECT_TRUE(pipeline.close(in(patience)));
  // What was with librdkafka when the process ended may be in Kafka: it is sent again, marked.
  expect_audit_clean(Copies::marked);
}

TEST_F(PipelineSettles, RefusesEnvelopesOnceClosed) {
  Pipeline pipeline = Pipeline::open(config());
  const Topic topic = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();

  EXPECT_TRUE(pipeline.close(in(patience)));

  EXPECT_EQ(publisher.publish(topic, "key", bytes_of("late")).status(), PublishStatus::closed);
}

TEST_F(PipelineSettles, ShowsRatesOfOneAndZeroWhenNothingWasPublished) {
  Pipeline pipeline = Pipeline::open(config());

  const Metrics seen = pipeline.metrics();

  EXPECT_EQ(seen.kafka_publish_success_rate, 1);
  EXPECT_EQ(seen.outbox_fallback_rate, 0);
}

TEST_F(PipelineSettles, CountsEachEnvelopeOnceOnEitherRoute) {
  Config settings = config();
  settings.lanes.force_spill = {1};
  Pipeline pipeline = Pipeline::open(settings);
  program::LoadGenerator load = load_on(pipeline);
  ASSERT_TRUE(eventually(patience, [&] {
    const Metrics seen = pipeline.counters();
    return seen.delivered > 1'000 && seen.spilled > 1'000;
  }));
  load.stop();
  ASSERT_TRUE(pipeline.flush(in(patience)));
  ASSERT_TRUE(eventually(patience, [&] {
    const Metrics seen = pipeline.counters();
    return outbox_rows() == 0 && seen.relay.relayed == seen.spilled && seen.outbox_queue_depth == 0;
  }));

  const Metrics seen = pipeline.metrics();

  EXPECT_EQ(seen.accepted, load.accepted());
  expect_conserved(seen);
  EXPECT_GT(seen.outbox_fallback_rate, 0);
  EXPECT_LT(seen.kafka_publish_success_rate, 1);
  EXPECT_NEAR(seen.kafka_publish_success_rate + seen.outbox_fallback_rate, 1, 1e-6);
  EXPECT_EQ(seen.ack.count, seen.delivered);
  EXPECT_EQ(seen.outbox_processing_delay_all.count, seen.relay.relayed);
  expect_audit_clean();
}

}  // namespace
}  // namespace spillway::test
