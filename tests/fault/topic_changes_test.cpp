// tests/fault/topic_changes_test.cpp: guards P3, P4, P8 and P16 (X8, X9): what an operator does to
// a topic while envelopes are on their way to it.

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "spillway/spillway.hpp"
#include "support/kafka_reader.hpp"
#include "support/on_real_stack.hpp"

namespace spillway::test {
namespace {

class TopicChanges : public OnRealStack {};

// A key's partition changes with their number: its order across the change is Kafka's to break.
TEST_F(TopicChanges, MorePartitionsLoseAndDoubleNothing) {
  Pipeline pipeline = Pipeline::open(config());
  program::LoadGenerator load = load_on(pipeline);
  ASSERT_TRUE(eventually(patience, [&] { return pipeline.counters().delivered > 1'000; }));

  kafka().raise_partitions(topic_name(), 2 * partitions);
  const std::uint64_t before = pipeline.counters().delivered;
  // A client looks at its topics once a second.
  ASSERT_TRUE(
      eventually(patience, [&] { return pipeline.counters().delivered > before + 30'000; }));
  load.stop();
  EXPECT_TRUE(ends_quiet(pipeline));

  const verify::AuditResult seen = audit();
  EXPECT_EQ(seen.count(verify::Kind::lost), 0);
  EXPECT_EQ(seen.count(verify::Kind::reordered_stream), 0);
  EXPECT_EQ(seen.count(verify::Kind::duplicate_unmarked), 0);
  EXPECT_EQ(seen.duplicates_marked, 0);
  EXPECT_EQ(seen.partitions, 2 * partitions) << "the new ones are used";
}

TEST_F(TopicChanges, ALowerLimitBuriesTheLargeAndNoneOfTheirNeighbours) {
  Pipeline pipeline = Pipeline::open(config());
  const Topic topic = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();
  const std::string large(20'000, 'x');
  constexpr int small_ones = 5'000;
  constexpr int large_every = 50;
  std::size_t large_ones = 0;

  for (int n = 0; n < small_ones; ++n) {
    if (n == small_ones / 4) kafka().configure_topic(topic_name(), "max.message.bytes", "10000");
    const std::string key = std::to_string(n % 20);
    const std::string payload = std::to_string(n);
    ASSERT_TRUE(publisher.publish_within(
        patience, Envelope{.topic = topic, .key = Key{key}, .payload = bytes_of(payload)}));
    if (n % large_every == 0 && n >= small_ones / 2) {
      ASSERT_TRUE(publisher.publish_within(
          patience, Envelope{.topic = topic, .key = "large", .payload = bytes_of(large)}));
      ++large_ones;
    }
  }
  ASSERT_TRUE(pipeline.flush(std::chrono::steady_clock::now() + patience));
  EXPECT_TRUE(ends_quiet(pipeline));

  std::vector<int> numbers;
  std::size_t large_in_kafka = 0;  // the limit holds a moment after it is acknowledged
  for (const KafkaMessage& message : KafkaReader{}.read_all(topic_name())) {
    if (message.payload->size() == large.size())
      ++large_in_kafka;
    else
      numbers.push_back(std::stoi(*message.payload));
  }
  std::ranges::sort(numbers);
  EXPECT_EQ(numbers.size(), small_ones) << "each once";
  EXPECT_TRUE(std::ranges::adjacent_find(numbers) == numbers.end());
  EXPECT_EQ(sql().value("SELECT count(*) FROM spillway.dead_letter"),
            std::to_string(large_ones - large_in_kafka));
  EXPECT_EQ(sql().value("SELECT count(*) FROM spillway.dead_letter WHERE length(payload) < 20000"),
            "0");
  expect_conserved(pipeline.counters());
}

}  // namespace
}  // namespace spillway::test
