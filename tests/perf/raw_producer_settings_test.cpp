// tests/perf/raw_producer_settings_test.cpp: the baseline of the figures and a lane tell
// librdkafka the same.

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "adapters/kafka/settings.hpp"
#include "perf/common/raw_producer.hpp"

namespace spillway::perf {
namespace {

std::string value_of(const rd_kafka_conf_t* conf, const char* name) {
  std::array<char, 256> value{};
  std::size_t size = value.size();
  EXPECT_EQ(rd_kafka_conf_get(conf, name, value.data(), &size), RD_KAFKA_CONF_OK) << name;
  return value.data();
}

TEST(RawProducerSettings, AreThoseOfALane) {
  kafka::BrokerSettings settings;
  settings.bootstrap_servers = "kafka-1:9092";
  const kafka::ClientSettings lane = kafka::make_client_settings(settings);

  for (const auto& [name, value] : lane_properties()) {
    program::KafkaConf raw{rd_kafka_conf_new()};
    program::set(*raw, name, value);
    EXPECT_EQ(value_of(raw.get(), name.c_str()), value_of(lane.get(), name.c_str())) << name;
  }
}

}  // namespace
}  // namespace spillway::perf
