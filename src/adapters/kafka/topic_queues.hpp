// src/adapters/kafka/topic_queues.hpp: the records of a topic that wait until librdkafka has none
// of their partition.
//
// Of a partition librdkafka has one request in flight (2.0.2 to 2.8.0, from five messages on:
// rd_kafka_toppar_producer_serve). While others wait behind it, its thread polls without sleeping:
// most of a core, for as long as the broker takes, and a slow broker beside it takes the longer.
// What waits here instead goes out as one batch when its turn comes.
//
// A batch is librdkafka's from its first record on, and open until `linger.ms` later: it goes then,
// with what has joined it. On a connection five of them are under way at a time
// (enable.idempotence): one that waits for its turn inside librdkafka is closed, one that waits
// here grows.

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "adapters/kafka/handles.hpp"
#include "core/ring_queue.hpp"
#include "ports/broker.hpp"

namespace spillway::kafka {

class TopicQueues;

/// One partition's.
struct PartitionQueue {
  using Clock = std::chrono::steady_clock;

  /// More cannot be handed over before their batch goes: the rest follows it all the same.
  static constexpr std::size_t burst = 200;
  /// Behind a broker that took longer than `quick`, so many wait for their batch: a rest that stays
  /// behind costs a core for as long as the broker takes, and one beside it needs that core.
  static constexpr std::size_t slow_burst = 800;
  static constexpr std::chrono::milliseconds quick{5};
  /// So many do not wait: librdkafka is busy with them for longer than a turn takes. Unless the
  /// broker is slower than this.
  static constexpr std::size_t crowd = 2000;
  static constexpr std::chrono::milliseconds crowd_within{50};

  PartitionQueue(TopicQueues& of, std::int32_t number) noexcept : topic{of}, partition{number} {}

  /// Nothing is with the client, or its batch has not gone yet.
  [[nodiscard]] bool is_open_at(Clock::time_point now) const noexcept {
    return with_client == 0 || now < batch_open_until;
  }
  /// Nothing waits that a record would pass.
  [[nodiscard]] bool takes_at(Clock::time_point now) const noexcept {
    return waiting.empty() && is_open_at(now);
  }
  [[nodiscard]] bool is_due() const noexcept { return with_client == 0 && !waiting.empty(); }
  /// What waits is handed over to its end, even if its batch goes meanwhile.
  [[nodiscard]] bool passes_at(Clock::time_point now) const noexcept {
    if (with_client != 0) return is_crowded(now);
    return waiting.size() > (is_quick ? burst : slow_burst);
  }
  [[nodiscard]] bool is_crowded(Clock::time_point now) const noexcept {
    return waiting.size() >= crowd && now < batch_open_until + crowd_within;
  }
  void on_answered(Clock::time_point now) noexcept { is_quick = now < batch_open_until + quick; }

  TopicQueues& topic;
  const std::int32_t partition;
  std::size_t with_client = 0;  ///< Handed over, and without a report.
  bool awaits_turn = false;     ///< In KafkaBroker's list of these.
  bool is_quick = true;         ///< The broker was, with the last batch.
  Clock::time_point batch_open_until{};
  core::RingQueue<ports::Submission> waiting{1};
};

/// The partition that Kafka's other clients give a key; without one, the seq's.
[[nodiscard]] std::int32_t partition_of(std::optional<ports::Bytes> key, core::Seq seq,
                                        std::int32_t partitions) noexcept;

/// @thread that of submit(), but for note_partitions()
class TopicQueues {
 public:
  /// Null: its name is not one.
  explicit TopicQueues(TopicReference topic) : topic_{std::move(topic)} {}

  [[nodiscard]] rd_kafka_topic_t* topic() const noexcept { return topic_.get(); }

  /// Where the record may wait. A key's records share one queue for as long as any record of the
  /// topic waits. @allocates when the topic has more partitions than before
  [[nodiscard]] PartitionQueue& queue_of(const ports::Submission& record);
  [[nodiscard]] std::deque<PartitionQueue>& queues() noexcept { return queues_; }
  /// That records are spread over now.
  [[nodiscard]] std::int32_t partitions() const noexcept { return partitions_; }

  void push(PartitionQueue& queue, const ports::Submission& record) {
    queue.waiting.push_back(record);
    ++waiting_;
  }
  void pop(PartitionQueue& queue) noexcept {
    queue.waiting.drop_front();
    --waiting_;
  }

  /// How many the topic has, as librdkafka says. @thread any
  void note_partitions(std::int32_t count) noexcept {
    partitions_noted_.store(count, std::memory_order_relaxed);  // a hint: nothing is behind it
  }

 private:
  TopicReference topic_;
  std::atomic<std::int32_t> partitions_noted_{0};
  std::int32_t partitions_ = 1;  ///< Until their number is known, one.
  std::size_t waiting_ = 0;
  std::deque<PartitionQueue> queues_;  ///< Addresses stay: messages refer to them.
};

}  // namespace spillway::kafka
