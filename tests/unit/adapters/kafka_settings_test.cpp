// tests/unit/adapters/kafka_settings_test.cpp: which librdkafka properties a user may set, and what
// becomes of the others.

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/kafka/settings.hpp"
#include "spillway/error.hpp"

namespace spillway::kafka {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string value_of(const ClientSettings& settings, const char* name) {
  std::array<char, 256> value{};
  std::size_t size = value.size();
  EXPECT_EQ(rd_kafka_conf_get(settings.get(), name, value.data(), &size), RD_KAFKA_CONF_OK) << name;
  return value.data();
}

BrokerSettings some_settings() {
  BrokerSettings settings;
  settings.bootstrap_servers = "kafka-1:9092";
  return settings;
}

struct BrokenPromise {
  const char* test;
  const char* name;
  const char* value;
};

const std::array broken_promises{
    BrokenPromise{"Idempotence", "enable.idempotence", "false"},
    BrokenPromise{"Acks", "acks", "1"},
    BrokenPromise{"AcksByItsOtherName", "request.required.acks", "0"},
    BrokenPromise{"Retries", "retries", "0"},
    BrokenPromise{"RetriesByTheirOtherName", "message.send.max.retries", "3"},
    BrokenPromise{"RequestsInFlight", "max.in.flight", "6"},
    BrokenPromise{"RequestsInFlightInFull", "max.in.flight.requests.per.connection", "6"},
    BrokenPromise{"Expiry", "message.timeout.ms", "1000"},
    BrokenPromise{"ExpiryByItsOtherName", "delivery.timeout.ms", "1000"},
    BrokenPromise{"Partitioner", "partitioner", "consistent_random"},
    BrokenPromise{"ReportsOfErrorsOnly", "delivery.report.only.error", "true"},
    BrokenPromise{"Transactions", "transactional.id", "a"},
    BrokenPromise{"Gaplessness", "enable.gapless.guarantee", "true"},
    BrokenPromise{"AutoCreation", "allow.auto.create.topics", "true"},
    BrokenPromise{"LastInFirstOut", "queuing.strategy", "lifo"},
    BrokenPromise{"BatchSize", "batch.size", "1000000"},
    BrokenPromise{"MessageSize", "message.max.bytes", "1000000"},
    BrokenPromise{"QueueLength", "queue.buffering.max.messages", "10"},
    BrokenPromise{"QueueBytes", "queue.buffering.max.kbytes", "10"},
    BrokenPromise{"Statistics", "statistics.interval.ms", "0"},
    BrokenPromise{"Servers", "bootstrap.servers", "elsewhere:9092"},
    BrokenPromise{"MockCluster", "test.mock.num.brokers", "3"},
};
class KafkaPromise : public testing::TestWithParam<BrokenPromise> {};

TEST_P(KafkaPromise, IsRefusedByNameWithItsReason) {
  const auto violations = check_properties({{GetParam().name, GetParam().value}});

  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_THAT(violations.front(),
              AllOf(HasSubstr(std::string{"kafka.properties."} + GetParam().name),
                    HasSubstr("leave it out")));
}
INSTANTIATE_TEST_SUITE_P(KafkaSettings, KafkaPromise, testing::ValuesIn(broken_promises),
                         [](const auto& row) { return std::string{row.param.test}; });

TEST(KafkaSettings, APromiseMayBeWrittenOut) {
  EXPECT_THAT(check_properties({{"acks", "all"},
                                {"request.required.acks", "-1"},
                                {"enable.idempotence", "true"},
                                {"partitioner", "murmur2_random"}}),
              IsEmpty());
}

TEST(KafkaSettings, OtherPropertiesPassThrough) {
  EXPECT_THAT(check_properties({{"linger.ms", "3"},
                                {"compression.type", "lz4"},
                                {"security.protocol", "sasl_ssl"},
                                {"sasl.mechanism", "SCRAM-SHA-512"},
                                {"sasl.username", "orders"},
                                {"sasl.password", "no matter which"},
                                {"request.timeout.ms", "5000"}}),
              IsEmpty());
}

TEST(KafkaSettings, AnUnknownPropertyIsRefusedWithTheNearestKnownOne) {
  EXPECT_THAT(check_properties({{"lingr.ms", "3"}, {"compresion.codec", "lz4"}}),
              ElementsAre(AllOf(HasSubstr("compresion.codec"), HasSubstr("compression.codec?")),
                          AllOf(HasSubstr("lingr.ms"), HasSubstr("linger.ms?"))));
}

TEST(KafkaSettings, AWrongValueIsRefusedWithTheClientsReason) {
  EXPECT_THAT(check_properties({{"linger.ms", "soon"}}),
              ElementsAre(AllOf(HasSubstr("kafka.properties.linger.ms"), HasSubstr("soon"))));
}

TEST(KafkaSettings, EveryViolationIsToldAtOnce) {
  EXPECT_THAT(check_properties({{"acks", "1"}, {"retries", "0"}, {"no.such.thing", "x"}}),
              SizeIs(3));
}

TEST(KafkaSettings, ThePromisesAreSet) {
  const ClientSettings made = make_client_settings(some_settings());

  EXPECT_EQ(value_of(made, "enable.idempotence"), "true");
  EXPECT_EQ(value_of(made, "acks"), "-1");
  EXPECT_EQ(value_of(made, "message.timeout.ms"), "0");
  EXPECT_EQ(value_of(made, "partitioner"), "murmur2_random");
  EXPECT_EQ(value_of(made, "allow.auto.create.topics"), "false");
  EXPECT_EQ(value_of(made, "queue.buffering.max.messages"), "0");
  EXPECT_EQ(value_of(made, "bootstrap.servers"), "kafka-1:9092");
}

TEST(KafkaSettings, AUserMayTuneUnderAnyOfAPropertysNames) {
  BrokerSettings settings = some_settings();
  settings.properties = {{"queue.buffering.max.ms", "7"}, {"broker.address.family", "any"}};

  const ClientSettings made = make_client_settings(settings);

  EXPECT_EQ(value_of(made, "linger.ms"), "7");
  EXPECT_EQ(value_of(made, "broker.address.family"), "any");
}

TEST(KafkaSettings, BatchesLingerForAsLongAsItTakesToHandThemOverUnlessAUserSaysHowLong) {
  BrokerSettings settings = some_settings();
  settings.in_batches = true;
  EXPECT_EQ(value_of(make_client_settings(settings), "linger.ms"), "1");

  settings.properties = {{"linger.ms", "7"}};
  EXPECT_EQ(value_of(make_client_settings(settings), "linger.ms"), "7");
}

TEST(KafkaSettings, ABatchMayBeSmallerThanARecordButNeverTheOtherWayRound) {
  BrokerSettings settings = some_settings();
  settings.batch_bytes_max = 2'000;
  settings.record_bytes_max = 500'000;

  ClientSettings made = make_client_settings(settings);
  EXPECT_EQ(value_of(made, "batch.size"), "2000");
  EXPECT_EQ(value_of(made, "message.max.bytes"), "500000");

  settings.batch_bytes_max = 3'000'000;
  made = make_client_settings(settings);
  EXPECT_EQ(value_of(made, "batch.size"), "3000000");
  EXPECT_EQ(value_of(made, "message.max.bytes"), "3000000");
}

TEST(KafkaSettings, WhatTheClientDoesNotTakeStopsTheStart) {
  BrokerSettings settings = some_settings();
  settings.properties = {{"linger.ms", "soon"}};

  EXPECT_THROW(static_cast<void>(make_client_settings(settings)), StartError);
}

}  // namespace
}  // namespace spillway::kafka
