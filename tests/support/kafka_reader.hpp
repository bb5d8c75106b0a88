// tests/support/kafka_reader.hpp: what a topic holds, read by a consumer that knows nothing of
// Spillway.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

#include "support/kafka_admin.hpp"

namespace spillway::test {

/// Nothing is Kafka's null.
struct KafkaMessage {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  std::optional<std::string> key;
  std::optional<std::string> payload;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;

  /// The first header of that name; "" when there is none, or it is null.
  [[nodiscard]] std::string header(const std::string& name) const {
    for (const auto& [found, value] : headers) {
      if (found == name) return value.value_or("");
    }
    return "";
  }
};

/// Reads a topic from its beginning, committed records only.
class KafkaReader {
 public:
  explicit KafkaReader(const std::string& servers = kafka_servers()) {
    rd_kafka_conf_t* settings = rd_kafka_conf_new();
    set(settings, "bootstrap.servers", servers.c_str());
    set(settings, "group.id", "spillway-test-reader");
    set(settings, "enable.auto.commit", "false");
    set(settings, "enable.partition.eof", "true");
    set(settings, "auto.offset.reset", "error");
    set(settings, "fetch.wait.max.ms", "10");  // how long the end of a topic takes to be seen
    set(settings, "log_level", "0");
    std::array<char, 512> error{};
    rd_kafka_conf_set(settings, "enable.metrics.push", "false", error.data(), error.size());
    client_.reset(rd_kafka_new(RD_KAFKA_CONSUMER, settings, error.data(), error.size()));
    if (!client_) throw std::runtime_error{error.data()};
    rd_kafka_poll_set_consumer(client_.get());
  }

  /// Everything up to the ends that the partitions have meanwhile; offsets ascend in each
  /// partition.
  [[nodiscard]] std::vector<KafkaMessage> read_all(
      const std::string& topic, std::chrono::milliseconds within = std::chrono::seconds{30}) {
    const auto deadline = std::chrono::steady_clock::now() + within;
    const int partitions = partitions_of(topic);
    assign(topic, partitions);
    std::vector<KafkaMessage> messages;
    std::set<std::int32_t> ended;
    while (ended.size() < static_cast<std::size_t>(partitions)) {
      if (std::chrono::steady_clock::now() > deadline) {
        throw std::runtime_error{"reading " + topic + " took too long"};
      }
      const std::unique_ptr<rd_kafka_message_t, KafkaReleasedBy<rd_kafka_message_destroy>> message{
          rd_kafka_consumer_poll(client_.get(), 100)};
      if (!message) continue;
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        ended.insert(message->partition);
      } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ended.erase(message->partition);
        messages.push_back(copy_of(*message));
      } else if (message->rkt != nullptr) {
        throw std::runtime_error{"reading " + topic + ": " +
                                 rd_kafka_message_errstr(message.get())};
      }
    }
    rd_kafka_assign(client_.get(), nullptr);
    return messages;
  }

 private:
  static void set(rd_kafka_conf_t* settings, const char* name, const char* value) {
    std::array<char, 512> error{};
    if (rd_kafka_conf_set(settings, name, value, error.data(), error.size()) != RD_KAFKA_CONF_OK) {
      throw std::runtime_error{error.data()};
    }
  }

  int partitions_of(const std::string& topic) {
    const std::unique_ptr<rd_kafka_topic_t, KafkaReleasedBy<rd_kafka_topic_destroy>> handle{
        rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr)};
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto error = rd_kafka_metadata(client_.get(), 0, handle.get(), &metadata, 10'000);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error{rd_kafka_err2str(error)};
    const std::unique_ptr<const rd_kafka_metadata_t, KafkaReleasedBy<rd_kafka_metadata_destroy>>
        owned{metadata};
    if (metadata->topic_cnt != 1 || metadata->topics->partition_cnt == 0) {
      throw std::runtime_error{"there is no topic " + topic};
    }
    return metadata->topics->partition_cnt;
  }

  void assign(const std::string& topic, int partitions) {
    const std::unique_ptr<rd_kafka_topic_partition_list_t,
                          KafkaReleasedBy<rd_kafka_topic_partition_list_destroy>>
        list{rd_kafka_topic_partition_list_new(partitions)};
    for (int partition = 0; partition < partitions; ++partition) {
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset =
          RD_KAFKA_OFFSET_BEGINNING;
    }
    const auto error = rd_kafka_assign(client_.get(), list.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error{rd_kafka_err2str(error)};
  }

  static std::optional<std::string> text_of(const void* bytes, std::size_t size) {
    if (bytes == nullptr) return std::nullopt;
    return std::string{static_cast<const char*>(bytes), size};
  }

  static KafkaMessage copy_of(const rd_kafka_message_t& message) {
    KafkaMessage copy{.partition = message.partition,
                      .offset = message.offset,
                      .timestamp_ms = rd_kafka_message_timestamp(&message, nullptr),
                      .key = text_of(message.key, message.key_len),
                      .payload = text_of(message.payload, message.len),
                      .headers = {}};
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return copy;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
      copy.headers.emplace_back(name, text_of(value, size));
    }
    return copy;
  }

  std::unique_ptr<rd_kafka_t, KafkaReleasedBy<rd_kafka_destroy>> client_;
};

}  // namespace spillway::test
