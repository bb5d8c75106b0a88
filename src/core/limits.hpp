// src/core/limits.hpp: upper bounds that several layers share, related by the compiler.

#pragma once

#include <cstddef>
#include <cstdint>

#include "core/record.hpp"

namespace spillway::core {

inline constexpr std::size_t lanes_max = 64;
inline constexpr std::size_t topics_max = 1'024;
/// Kafka's own limit (org.apache.kafka.common.internals.Topic).
inline constexpr std::size_t topic_name_bytes_max = 249;
inline constexpr std::size_t segment_bytes = std::size_t{1} << 20;
/// Key, payload and header block of one record; a configuration may ask for less.
inline constexpr std::size_t record_content_bytes_max = 1'000'000;

/// What a message costs a Kafka batch beyond its content: record framing, and Spillway's headers.
inline constexpr std::size_t message_overhead_bytes = 256;

/// A producer's batches before any topic asks for smaller ones: Kafka's default max.message.bytes,
/// less what a batch costs beyond its messages.
[[nodiscard]] constexpr std::size_t batch_bytes_for(std::size_t message_bytes_max) noexcept {
  constexpr std::size_t batch_overhead = 512;
  return message_bytes_max > 2 * batch_overhead ? message_bytes_max - batch_overhead
                                                : message_bytes_max / 2;
}
inline constexpr std::size_t batch_bytes_default = batch_bytes_for(1'048'588);

static_assert(record_bytes_for(record_content_bytes_max) + sizeof(std::uint64_t) <= segment_bytes,
              "every record fits into a segment, with the word that ends it");

}  // namespace spillway::core
