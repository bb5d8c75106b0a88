// src/loops/topic_admission.hpp: what a topic will never take, told before the record is submitted.
//
// The broker measures batches, so a record that is too large for one would take its neighbours
// along.

#pragma once

#include <cstddef>
#include <optional>

#include "core/limits.hpp"
#include "handoff/topic_directory.hpp"
#include "ports/broker.hpp"

namespace spillway::loops {

/// Of a record as a topic's limit sees it, without what Kafka adds.
[[nodiscard]] inline std::size_t content_bytes(
    const std::optional<ports::Bytes>& key, ports::Bytes headers,
    const std::optional<ports::Bytes>& payload) noexcept {
  return (key ? key->size() : 0) + headers.size() + (payload ? payload->size() : 0);
}

/// Why such a record is a dead letter, with the broker's own name for it; null when it is not. Of a
/// topic that could not be asked about, nothing is known: the caller waits.
[[nodiscard]] inline const char* refusal_of(const handoff::TopicFacts& topic,
                                            std::size_t content_bytes) noexcept {
  switch (topic.standing) {
    case handoff::TopicStanding::missing:
      return "UNKNOWN_TOPIC_OR_PART: Kafka has no such topic";
    case handoff::TopicStanding::forbidden:
      return "TOPIC_AUTHORIZATION_FAILED: Kafka refuses writes to the topic";
    case handoff::TopicStanding::unasked:
    case handoff::TopicStanding::exists:
      break;
  }
  return content_bytes + core::message_overhead_bytes > topic.message_bytes_max
             ? "MSG_SIZE_TOO_LARGE: above the topic's max.message.bytes"
             : nullptr;
}

}  // namespace spillway::loops
