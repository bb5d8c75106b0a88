// src/adapters/kafka/topic_resolver.hpp: asks Kafka about topics, through a producer that is there
// anyway.
//
// It waits for answers, so it runs beside a lane, never on it; it does not touch what a lane uses.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/kafka/kafka_broker.hpp"

namespace spillway::kafka {

enum class TopicStatus : std::uint8_t {
  exists,
  missing,         ///< Kafka says so. To ask again helps once somebody has made it.
  not_authorized,  ///< Kafka says so.
  not_a_name,      ///< No topic can have it.
  unknown,         ///< Kafka could not be asked in time.
};

struct TopicAnswer {
  TopicStatus status = TopicStatus::unknown;
  std::int32_t partitions = 0;
  /// The topic's `max.message.bytes`; nothing when this client may not read it.
  std::optional<std::size_t> message_bytes_max = std::nullopt;
  std::string reason = {};  ///< Why it is not `exists`, with the server's error.
};

/// @thread housekeeper, while the broker lives; its submit() and poll() may go on elsewhere
class TopicResolver {
 public:
  explicit TopicResolver(KafkaBroker& broker) noexcept : broker_{broker} {}

  /// Asks, and primes a topic that exists. @blocks up to `within`
  [[nodiscard]] TopicAnswer resolve(const std::string& name, std::chrono::milliseconds within);

  /// Has the producer know the topic's leaders before its first record, and keep them fresh as long
  /// as it lives. False when Kafka did not name a leader in time. @blocks up to `within`
  bool prime(const std::string& name, std::chrono::milliseconds within);

  /// Asks for metadata, with whose answer a producer without an id asks for one. False when there
  /// was none in time. @blocks up to `within`
  bool kick_metadata(std::chrono::milliseconds within);

 private:
  KafkaBroker& broker_;
};

}  // namespace spillway::kafka
