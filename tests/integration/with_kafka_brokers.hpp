// tests/integration/with_kafka_brokers.hpp: producers on the real Kafka, topics, and numbered
// records.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "adapters/kafka/kafka_broker.hpp"
#include "core/position.hpp"
#include "support/kafka_admin.hpp"
#include "support/kafka_reader.hpp"

namespace spillway::kafka {

using namespace std::chrono_literals;  // NOLINT(google-global-names-in-headers): of tests
using ports::DeliveryOutcome;
using ports::SubmitResult;
using test::KafkaMessage;

class RecordingLog final : public ports::Log {
 public:
  void write(LogLevel level, std::string_view text) noexcept override {
    const std::lock_guard lock{mutex_};
    if (level >= LogLevel::info) lines_.emplace_back(text);
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::lock_guard lock{mutex_};
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

inline constexpr core::StreamId stream{.instance = {0x0123456789abcdef}, .lane = {3}};

class WithKafkaBrokers : public testing::Test {
 protected:
  static BrokerSettings settings() {
    BrokerSettings made;
    made.bootstrap_servers = test::kafka_servers();
    return made;
  }

  std::string make_topic(int partitions = 1,
                         const std::map<std::string, std::string>& config = {}) {
    std::string name = test::new_topic_name("broker");
    admin_.create_topic(name, partitions, config);
    return name;
  }

  // Polls until `holds`; what is reported meanwhile is kept in reports_.
  template <class Condition>
  bool poll_until(KafkaBroker& broker, std::chrono::milliseconds within, Condition holds) {
    const auto deadline = std::chrono::steady_clock::now() + within;
    std::array<ports::Report, 64> room;
    while (!holds()) {
      const std::size_t count = broker.poll(room);
      reports_.insert(reports_.end(), room.begin(),
                      room.begin() + static_cast<std::ptrdiff_t>(count));
      if (count != 0) continue;
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  bool poll_all(KafkaBroker& broker, std::chrono::milliseconds within = 30s) {
    return poll_until(broker, within, [&] { return broker.outstanding() == 0; });
  }
  bool await_warm(KafkaBroker& broker) {
    return poll_until(broker, 10s, [&] { return broker.health().up && broker.health().warm; });
  }

  // Its tag, seq and payload are `n`; the payload lives as long as the fixture.
  ports::Submission numbered(ports::TopicHandle topic, std::uint64_t n) {
    const auto [payload, is_new] = payloads_.try_emplace(n, "payload " + std::to_string(n));
    return {.topic = topic,
            .key = std::nullopt,
            .payload = bytes_of(payload->second),
            .headers = {},
            .event_time_ms = std::nullopt,
            .provenance = {.stream = stream, .seq = {n}},
            .tag = n};
  }
  void submit_numbered(KafkaBroker& broker, ports::TopicHandle topic, std::uint64_t first,
                       std::uint64_t last) {
    for (std::uint64_t n = first; n <= last; ++n) {
      ASSERT_EQ(broker.submit(numbered(topic, n)), SubmitResult::accepted) << n;
    }
  }

  [[nodiscard]] std::map<DeliveryOutcome, std::size_t> outcomes() const {
    std::map<DeliveryOutcome, std::size_t> counts;
    for (const ports::Report& report : reports_)
      ++counts[report.outcome];
    return counts;
  }

  static std::vector<std::uint64_t> seqs_of(const std::vector<KafkaMessage>& messages) {
    std::vector<std::uint64_t> seqs;
    seqs.reserve(messages.size());
    for (const KafkaMessage& message : messages) {
      const auto position = core::parse_position(message.header("spillway-position"));
      seqs.push_back(position ? position->seq.value : 0);
    }
    return seqs;
  }
  static void expect_each_once_in_order(const std::vector<KafkaMessage>& messages,
                                        std::uint64_t count) {
    const std::vector<std::uint64_t> seqs = seqs_of(messages);
    ASSERT_EQ(seqs.size(), count);
    for (std::uint64_t n = 1; n <= count; ++n)
      ASSERT_EQ(seqs[n - 1], n);
  }

  RecordingLog log_;
  test::KafkaAdmin admin_;
  test::KafkaReader reader_;
  std::map<std::uint64_t, std::string> payloads_;
  std::vector<ports::Report> reports_;
};

}  // namespace spillway::kafka
