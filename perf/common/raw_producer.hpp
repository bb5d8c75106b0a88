// perf/common/raw_producer.hpp: the baseline: librdkafka alone, as good as a program can make it.
//
//   send() ──produce, no copy──► librdkafka ──► Kafka;   poll() ──► on_ack
//
// It promises what a lane does (idempotent, acks=all, no expiry) by a lane's settings, and leaves
// out what only serves Spillway: statistics, and metadata five times a second.

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "spillway/config.hpp"
#include "spillway/envelope.hpp"
#include "tools/spillway/kafka_handles.hpp"

namespace spillway::perf {

struct RawSettings {
  /// Messages without a report; then send() answers false. librdkafka's default.
  std::size_t in_flight_max = 100'000;
  /// One header on each, as long as the one that each message of ours has.
  bool with_header = true;
  /// Above the lane's settings; for both sides the same, where a program changes one.
  std::map<std::string, std::string> properties = {};
};

class RawProducer {
 public:
  /// Told of each message that Kafka has, with what send() was given, inside poll(). Must not
  /// throw.
  using OnAck = std::function<void(std::uint64_t tag)>;

  /// @throws program::CommandError
  RawProducer(const KafkaConfig& kafka, const std::string& topic, const RawSettings& settings,
              OnAck on_ack = {});
  RawProducer(const RawProducer&) = delete;
  RawProducer& operator=(const RawProducer&) = delete;
  /// What Kafka does not have yet is given up.
  ~RawProducer();

  /// False: full, poll first. `payload` has to stay as it is until its report; the key is copied.
  /// @thread any @throws program::CommandError when librdkafka refuses the message
  [[nodiscard]] bool send(std::string_view key, Bytes payload, std::uint64_t tag = 0);

  /// Handles the reports that are there; waits for the first of them for up to `timeout`.
  /// @thread any
  void poll(std::chrono::milliseconds timeout) noexcept {
    rd_kafka_poll(client_.get(), static_cast<int>(timeout.count()));
  }

  /// Polls until every message has its report. False: not by `deadline`.
  [[nodiscard]] bool drain(std::chrono::steady_clock::time_point deadline) noexcept;

  [[nodiscard]] std::uint64_t acked() const noexcept {
    return acked_.load(std::memory_order_relaxed);
  }
  /// Reports that said that Kafka has not, or may not have, the message.
  [[nodiscard]] std::uint64_t failed() const noexcept {
    return failed_.load(std::memory_order_relaxed);
  }

 private:
  void on_report(const rd_kafka_message_t& message) noexcept;
  rd_kafka_resp_err_t produce(std::string_view key, Bytes payload, void* tag) noexcept;

  bool with_header_;
  OnAck on_ack_;
  std::atomic<std::uint64_t> acked_ = 0;  // poll() may run on several threads
  std::atomic<std::uint64_t> failed_ = 0;
  program::KafkaClient client_;
  program::KafkaTopic topic_;
};

/// What a lane tells librdkafka, and so what a raw producer does.
[[nodiscard]] const std::map<std::string, std::string>& lane_properties();

}  // namespace spillway::perf
