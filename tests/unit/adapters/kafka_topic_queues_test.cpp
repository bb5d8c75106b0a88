// tests/unit/adapters/kafka_topic_queues_test.cpp: which records wait behind which.

#include <chrono>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "adapters/kafka/topic_queues.hpp"

namespace spillway::kafka {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-global-names-in-headers)

constexpr PartitionQueue::Clock::time_point goes_at{1h};

ports::Submission keyed(const std::string& key, std::uint64_t seq) {
  return {.topic = {},
          .key = std::as_bytes(std::span{key}),
          .payload = std::nullopt,
          .headers = {},
          .event_time_ms = std::nullopt,
          .provenance = {.stream = {}, .seq = {seq}},
          .tag = seq};
}

TEST(KafkaTopicQueues, AKeyGetsThePartitionThatOtherClientsGiveIt) {
  const std::string key = "21";  // murmur2 of org.apache.kafka: -973932308

  EXPECT_EQ(partition_of(std::as_bytes(std::span{key}), {1}, 10), (-973932308 & 0x7fffffff) % 10);
}

TEST(KafkaTopicQueues, OneQueueServesAllUntilTheNumberOfPartitionsIsKnown) {
  TopicQueues topic{nullptr};

  const PartitionQueue* const first = &topic.queue_of(keyed("a", 1));

  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(&topic.queue_of(keyed("key-" + std::to_string(i), 2)), first);
}

TEST(KafkaTopicQueues, SpreadsKeysOverAsManyQueuesAsThereArePartitions) {
  TopicQueues topic{nullptr};
  topic.note_partitions(8);

  std::set<const PartitionQueue*> queues;
  for (int i = 0; i < 1000; ++i)
    queues.insert(&topic.queue_of(keyed("key-" + std::to_string(i), 1)));

  EXPECT_EQ(queues.size(), 8U);
}

TEST(KafkaTopicQueues, AKeyStaysInItsQueueWhileRecordsWaitThoughPartitionsAreAdded) {
  TopicQueues topic{nullptr};
  topic.note_partitions(2);
  const std::string key = "21";
  PartitionQueue& before = topic.queue_of(keyed(key, 1));
  topic.push(before, keyed(key, 1));

  topic.note_partitions(64);
  EXPECT_EQ(&topic.queue_of(keyed(key, 2)), &before);

  topic.pop(before);
  EXPECT_NE(&topic.queue_of(keyed(key, 3)), &before);
}

TEST(KafkaTopicQueues, ARecordJoinsABatchUntilItGoes) {
  TopicQueues topic{nullptr};
  PartitionQueue& queue = topic.queue_of(keyed("a", 1));
  queue.batch_open_until = goes_at;
  EXPECT_TRUE(queue.takes_at(goes_at)) << "the client has none";

  queue.with_client = 1;

  EXPECT_TRUE(queue.takes_at(goes_at - 1us));
  EXPECT_FALSE(queue.takes_at(goes_at));
}

TEST(KafkaTopicQueues, NothingPassesARecordThatWaits) {
  TopicQueues topic{nullptr};
  PartitionQueue& queue = topic.queue_of(keyed("a", 1));
  topic.push(queue, keyed("a", 1));

  EXPECT_FALSE(queue.takes_at({}));
}

TEST(KafkaTopicQueues, WhatWaitsIsDueWhenTheClientHasNoneOfIt) {
  TopicQueues topic{nullptr};
  PartitionQueue& queue = topic.queue_of(keyed("a", 1));
  queue.with_client = 1;
  topic.push(queue, keyed("a", 1));
  EXPECT_FALSE(queue.is_due());

  queue.with_client = 0;

  EXPECT_TRUE(queue.is_due());
}

TEST(KafkaTopicQueues, MoreThanABurstIsHandedOverToItsEnd) {
  TopicQueues topic{nullptr};
  PartitionQueue& queue = topic.queue_of(keyed("a", 1));
  while (queue.waiting.size() < PartitionQueue::burst)
    topic.push(queue, keyed("a", 1));
  EXPECT_FALSE(queue.passes_at(goes_at));

  topic.push(queue, keyed("a", 1));

  EXPECT_TRUE(queue.passes_at(goes_at));
  queue.with_client = 1;
  EXPECT_FALSE(queue.passes_at(goes_at)) << "an answer is out";
}

TEST(KafkaTopicQueues, ASlowBrokersBurstIsLarger) {
  TopicQueues topic{nullptr};
  PartitionQueue& queue = topic.queue_of(keyed("a", 1));
  queue.batch_open_until = goes_at;
  queue.on_answered(goes_at + PartitionQueue::quick);
  while (queue.waiting.size() < PartitionQueue::slow_burst)
    topic.push(queue, keyed("a", 1));
  EXPECT_FALSE(queue.passes_at(goes_at));

  topic.push(queue, keyed("a", 1));
  EXPECT_TRUE(queue.passes_at(goes_at));

  topic.pop(queue);
  queue.on_answered(goes_at + PartitionQueue::quick - 1us);
  EXPECT_TRUE(queue.passes_at(goes_at)) << "quick again";
}

TEST(KafkaTopicQueues, ACrowdPassesAnAnswerThatIsOutUnlessTheBrokerIsSlow) {
  TopicQueues topic{nullptr};
  PartitionQueue& queue = topic.queue_of(keyed("a", 1));
  queue.with_client = 1;
  queue.batch_open_until = goes_at;
  const auto slow_from = goes_at + PartitionQueue::crowd_within;
  while (queue.waiting.size() + 1 < PartitionQueue::crowd)
    topic.push(queue, keyed("a", 1));
  EXPECT_FALSE(queue.is_crowded(goes_at));

  topic.push(queue, keyed("a", 1));

  EXPECT_TRUE(queue.is_crowded(slow_from - 1us));
  EXPECT_FALSE(queue.is_crowded(slow_from));
}

}  // namespace
}  // namespace spillway::kafka
