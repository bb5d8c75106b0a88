// tools/spillway/kafka_handles.hpp: librdkafka's handles with their release functions, and
// settings.

#pragma once

#include <array>
#include <memory>
#include <string>

#include <librdkafka/rdkafka.h>

#include "command.hpp"
#include "spillway/config.hpp"

namespace spillway::program {

template <auto release>
struct KafkaReleasedBy {
  void operator()(auto* handle) const noexcept { release(handle); }
};
using KafkaClient = std::unique_ptr<rd_kafka_t, KafkaReleasedBy<rd_kafka_destroy>>;
using KafkaConf = std::unique_ptr<rd_kafka_conf_t, KafkaReleasedBy<rd_kafka_conf_destroy>>;
using KafkaTopic = std::unique_ptr<rd_kafka_topic_t, KafkaReleasedBy<rd_kafka_topic_destroy>>;
using KafkaQueue = std::unique_ptr<rd_kafka_queue_t, KafkaReleasedBy<rd_kafka_queue_destroy>>;

inline void set(rd_kafka_conf_t& conf, const std::string& name, const std::string& value) {
  std::array<char, 512> error{};
  if (rd_kafka_conf_set(&conf, name.c_str(), value.c_str(), error.data(), error.size()) !=
      RD_KAFKA_CONF_OK) {
    throw CommandError{ExitCode::usage, "kafka.properties." + name + ": " + error.data()};
  }
}

/// Settings with the servers' address and the user's properties; says nothing on standard error.
[[nodiscard]] inline KafkaConf make_conf(const KafkaConfig& kafka) {
  KafkaConf conf{rd_kafka_conf_new()};
  set(*conf, "bootstrap.servers", kafka.bootstrap_servers);
  for (const auto& [name, value] : kafka.properties)
    set(*conf, name, value);
  rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t*, int, const char*, const char*) {});
  return conf;
}

/// A producer; `conf` is used up.
[[nodiscard]] inline KafkaClient make_producer(KafkaConf conf) {
  std::array<char, 512> error{};
  KafkaClient client{rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), error.data(), error.size())};
  if (!client) throw CommandError{ExitCode::unusable, std::string{"Kafka client: "} + error.data()};
  // Its owner is the client now.
  static_cast<void>(conf.release());
  return client;
}

}  // namespace spillway::program
