// tests/fault/write_right_revoked_test.cpp: guards P4, P8, P10 and P16 (X8): an operator takes the
// right to write to a topic, and gives it back.
//
// Kafka refuses what comes in between for good: each is a dead letter that says so. Envelopes for
// another topic, of the same lanes, go on.

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fault/under_fault.hpp"
#include "support/kafka_reader.hpp"
#include "verify/report.hpp"

namespace spillway::test {
namespace {

constexpr double few_per_second = 1'000;

std::uint64_t dead_letters(const Metrics& metrics) {
  return metrics.dead_lettered + metrics.relay.dead_lettered;
}

class WriteRightRevoked : public UnderFault {
 protected:
  WriteRightRevoked() { kafka().create_topic(other_, partitions); }
  void TearDown() override {
    kafka().give_back_writes(topic_name());
    kafka().delete_topic(other_);
    UnderFault::TearDown();
  }

  [[nodiscard]] const std::string& other() const noexcept { return other_; }
  // One key, so one partition: its order is the publisher's.
  static void publish_to(Topic topic, Pipeline& pipeline) {
    Publisher publisher = pipeline.publisher();
    for (int n = 0; n < others_; ++n) {
      ASSERT_TRUE(publisher.publish_within(
          patience,
          Envelope{.topic = topic, .key = "key", .payload = bytes_of(std::to_string(n))}));
    }
  }
  void expect_other_complete() const {
    const std::vector<KafkaMessage> messages = KafkaReader{}.read_all(other_);
    ASSERT_EQ(messages.size(), others_);
    for (int n = 0; n < others_; ++n)
      EXPECT_EQ(messages[static_cast<std::size_t>(n)].payload, std::to_string(n));
  }
  // Whatever was accepted is in Kafka or a dead letter, and each of these says why.
  void expect_all_accounted_for(const Metrics& seen) {
    expect_conserved(seen);
    const verify::AuditResult result = audit();
    EXPECT_EQ(result.verdict(), verify::Verdict::passed) << verify::text_report(result);
    EXPECT_EQ(result.waiting + result.held, 0);
    EXPECT_EQ(result.dead_letters, dead_letters(seen));
    EXPECT_TRUE(copies_of(seen) == Copies::marked || result.duplicates_marked == 0);
    // Kafka hides a topic from who may do nothing with it, when it is asked meanwhile.
    EXPECT_EQ(sql().value("SELECT string_agg(DISTINCT error, '; ') FROM spillway.dead_letter WHERE "
                          "error NOT IN ('TOPIC_AUTHORIZATION_FAILED: Broker: Topic authorization "
                          "failed', 'UNKNOWN_TOPIC_OR_PART: it was deleted, or may not be seen any "
                          "more')"),
              "(null)");
    EXPECT_TRUE(lines().has("dead letters; the last, "));
    EXPECT_TRUE(lines().has("TOPIC_AUTHORIZATION_FAILED"));
  }

 private:
  static constexpr int others_ = 500;
  std::string other_ = new_topic_name("other");
};

TEST_F(WriteRightRevoked, BuriesWhatKafkaRefusesMeanwhileAndNothingElse) {
  Config settings = proxied_config();
  settings.lanes.failover_after = std::chrono::seconds{60};  // silence is another test's subject
  Pipeline pipeline = Pipeline::open(settings);
  const Topic unhindered = pipeline.topic(other());
  program::LoadGenerator load = load_on(pipeline, few_per_second);
  reach(Phase::direct, pipeline);

  kafka().revoke_writes(topic_name());
  publish_to(unhindered, pipeline);
  EXPECT_TRUE(eventually(patience, [&] { return dead_letters(pipeline.counters()) > 1'000; }));
  kafka().give_back_writes(topic_name());
  const std::uint64_t delivered = pipeline.counters().delivered;
  EXPECT_TRUE(
      eventually(patience, [&] { return pipeline.counters().delivered > delivered + 1'000; }));
  load.stop();
  EXPECT_TRUE(ends_quiet(pipeline));

  const Metrics seen = pipeline.counters();
  EXPECT_EQ(sum(seen, &LaneMetrics::trips), 0) << "a refused record is no outage";
  expect_all_accounted_for(seen);
  expect_other_complete();
}

TEST_F(WriteRightRevoked, BuriesWhatItsRelayMeetsOfTheOutbox) {
  Pipeline pipeline = Pipeline::open(proxied_config());
  const Topic unhindered = pipeline.topic(other());
  program::LoadGenerator load = load_on(pipeline, few_per_second);
  reach(Phase::spilling, pipeline);

  publish_to(unhindered, pipeline);
  kafka().revoke_writes(topic_name());
  kafka_link.mend();
  EXPECT_TRUE(eventually(patience, [&] { return pipeline.counters().relay.dead_lettered > 500; }));
  kafka().give_back_writes(topic_name());
  const auto in_kafka = [&] {
    const Metrics seen = pipeline.counters();
    return seen.delivered + seen.relay.relayed;
  };
  const std::uint64_t before = in_kafka();
  EXPECT_TRUE(eventually(patience, [&] { return in_kafka() > before + 1'000; }));
  load.stop();
  EXPECT_TRUE(ends_quiet(pipeline));

  expect_all_accounted_for(pipeline.counters());
  expect_other_complete();
}

}  // namespace
}  // namespace spillway::test
