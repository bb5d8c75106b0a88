// tools/spillway/raw_client.hpp: a warm librdkafka producer beside the pipeline: when Kafka is
// really back.
//
// It sends a small message every few milliseconds, is never purged, and has a lane's settings; so
// the moment it gets its first ack after an outage is the best that any client could do.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "kafka_handles.hpp"
#include "spillway/config.hpp"

namespace spillway::program {

class RawClient {
 public:
  using Clock = std::chrono::steady_clock;

  /// Starts to send to `topic`, which must exist. @throws CommandError
  RawClient(const KafkaConfig& kafka, const std::string& topic);
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient();

  /// From now on first_ack() waits for a new one. @thread any
  void forget_acks() noexcept { first_ack_ns_.store(0, std::memory_order_relaxed); }
  /// The first ack since. @thread any
  [[nodiscard]] std::optional<Clock::time_point> first_ack() const noexcept;

 private:
  void send_and_poll(const std::stop_token& stop) noexcept;
  static void on_report(rd_kafka_t* client, const rd_kafka_message_t* message, void* self);

  std::atomic<std::int64_t> first_ack_ns_ = 0;  // 0: none yet
  KafkaClient client_;
  KafkaTopic topic_;
  std::jthread thread_;  // last: joined before the client goes
};

}  // namespace spillway::program
