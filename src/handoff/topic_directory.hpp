// src/handoff/topic_directory.hpp: what is known of each topic: one thread finds out, lanes and
// relay read.

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/ids.hpp"
#include "core/limits.hpp"

namespace spillway::handoff {

enum class TopicStanding : std::uint8_t {
  unasked,  ///< Kafka could not be asked yet, or has to be asked again.
  exists,
  missing,    ///< Kafka says that there is no such topic.
  forbidden,  ///< Kafka says that we may not write to it.
};

struct TopicFacts {
  TopicStanding standing = TopicStanding::unasked;
  std::uint32_t message_bytes_max = 0;  ///< Of a message and of a batch; of an existing topic.
};

/// Indexed by TopicIndex.
class TopicDirectory {
 public:
  /// @thread the housekeeper
  void set(core::TopicIndex topic, TopicFacts facts) noexcept {
    const std::uint64_t packed =
        (std::uint64_t{facts.message_bytes_max} << 8U) | static_cast<std::uint64_t>(facts.standing);
    // Relaxed: both facts are in the one word.
    entries_[topic.value].store(packed, std::memory_order_relaxed);
  }
  /// Kafka's refusal contradicts what is known of the topic: nothing is until it has been asked
  /// again. @thread any
  void doubt(core::TopicIndex topic) noexcept { set(topic, {}); }
  /// @thread any
  [[nodiscard]] TopicFacts get(core::TopicIndex topic) const noexcept {
    const std::uint64_t packed = entries_[topic.value].load(std::memory_order_relaxed);
    return {.standing = TopicStanding{static_cast<std::uint8_t>(packed & 0xFFU)},
            .message_bytes_max = static_cast<std::uint32_t>(packed >> 8U)};
  }

 private:
  std::array<std::atomic<std::uint64_t>, core::topics_max> entries_{};
};

}  // namespace spillway::handoff
