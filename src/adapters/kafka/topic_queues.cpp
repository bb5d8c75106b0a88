#include "adapters/kafka/topic_queues.hpp"

#include "core/routing.hpp"

namespace spillway::kafka {

std::int32_t partition_of(std::optional<ports::Bytes> key, core::Seq seq,
                          std::int32_t partitions) noexcept {
  const auto count = static_cast<std::uint32_t>(partitions);
  if (!key) return static_cast<std::int32_t>(core::partition_without_key(seq, count));
  return rd_kafka_msg_partitioner_murmur2(nullptr, key->data(), key->size(), partitions, nullptr,
                                          nullptr);
}

PartitionQueue& TopicQueues::queue_of(const ports::Submission& record) {
  const std::int32_t noted = partitions_noted_.load(std::memory_order_relaxed);
  // While records wait, another number could let a key's next one pass them.
  if (noted > 0 && waiting_ == 0) partitions_ = noted;
  while (queues_.size() < static_cast<std::size_t>(partitions_))
    queues_.emplace_back(*this, static_cast<std::int32_t>(queues_.size()));
  const std::int32_t partition = partition_of(record.key, record.provenance.seq, partitions_);
  return queues_[static_cast<std::size_t>(partition)];
}

}  // namespace spillway::kafka
