// tests/integration/kafka_topic_resolver_test.cpp: what Kafka says of a topic, and when nobody says
// it.

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/kafka/topic_resolver.hpp"
#include "integration/with_kafka_brokers.hpp"

namespace spillway::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class TopicResolverTest : public WithKafkaBrokers {};

TEST_F(TopicResolverTest, TellsWhatATopicIs) {
  const auto broker = KafkaBroker::make(settings(), log_);
  TopicResolver resolver{*broker};
  const std::string topic = make_topic(5, {{"max.message.bytes", "4321"}});

  const TopicAnswer found = resolver.resolve(topic, 5s);
  EXPECT_EQ(found.status, TopicStatus::exists) << found.reason;
  EXPECT_EQ(found.partitions, 5);
  EXPECT_EQ(found.message_bytes_max, 4'321U);

  const TopicAnswer missing = resolver.resolve(test::new_topic_name("missing"), 5s);
  EXPECT_EQ(missing.status, TopicStatus::missing);
  EXPECT_THAT(missing.reason, HasSubstr("UNKNOWN_TOPIC_OR_PART"));

  EXPECT_EQ(resolver.resolve("no topic: ever", 5s).status, TopicStatus::not_a_name);
  EXPECT_EQ(resolver.resolve("", 5s).status, TopicStatus::not_a_name);
  EXPECT_TRUE(resolver.kick_metadata(5s));
}

TEST_F(TopicResolverTest, FindsATopicMadeAfterItWasMissing) {
  const auto broker = KafkaBroker::make(settings(), log_);
  TopicResolver resolver{*broker};
  const std::string topic = test::new_topic_name("late");
  EXPECT_EQ(resolver.resolve(topic, 5s).status, TopicStatus::missing);
  admin_.create_topic(topic);

  EXPECT_EQ(resolver.resolve(topic, 5s).status, TopicStatus::exists);
  submit_numbered(*broker, broker->open_topic(topic), 1, 10);
  EXPECT_TRUE(poll_all(*broker));
  EXPECT_THAT(outcomes(), ElementsAre(Pair(DeliveryOutcome::delivered, 10)));
}

TEST_F(TopicResolverTest, SaysWhenNobodyCanBeAsked) {
  BrokerSettings away = settings();
  away.bootstrap_servers = "127.0.0.1:1";
  const auto broker = KafkaBroker::make(away, log_);
  TopicResolver resolver{*broker};

  const auto start = std::chrono::steady_clock::now();
  const TopicAnswer answer = resolver.resolve("orders", 300ms);

  EXPECT_EQ(answer.status, TopicStatus::unknown);
  EXPECT_NE(answer.reason, "");
  EXPECT_FALSE(resolver.prime("orders", 100ms));
  EXPECT_FALSE(resolver.kick_metadata(100ms));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

TEST_F(TopicResolverTest, APrimedTopicsFirstRecordIsNotDelayed) {
  const auto broker = KafkaBroker::make(settings(), log_);
  const std::string topic = make_topic();
  ASSERT_TRUE(await_warm(*broker));
  ASSERT_TRUE(TopicResolver{*broker}.prime(topic, 5s));

  const auto start = std::chrono::steady_clock::now();
  submit_numbered(*broker, broker->open_topic(topic), 1, 1);
  ASSERT_TRUE(poll_all(*broker));

  EXPECT_LT(std::chrono::steady_clock::now() - start, 100ms);
}

}  // namespace
}  // namespace spillway::kafka
