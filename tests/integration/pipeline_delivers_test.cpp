// tests/integration/pipeline_delivers_test.cpp: guards P1, P3, P5 and P6: what a consumer meets.

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "spillway/spillway.hpp"
#include "support/kafka_reader.hpp"
#include "support/on_real_stack.hpp"

namespace spillway::test {
namespace {

using Texts = std::vector<std::pair<std::string, std::optional<std::string>>>;

// Those of the service; Spillway's own are judged apart.
Texts own_headers(const KafkaMessage& message) {
  Texts headers;
  std::ranges::copy_if(message.headers, std::back_inserter(headers),
                       [](const auto& header) { return !header.first.starts_with("spillway-"); });
  return headers;
}

// Both routes have to end in the same bytes, so each test runs on both.
class PipelineDelivers : public OnRealStack, public ::testing::WithParamInterface<bool> {
 protected:
  Config settings() {
    Config settings = config();
    if (GetParam()) settings.lanes.force_spill = {0, 1};
    return settings;
  }
  std::vector<KafkaMessage> arrived_through(Pipeline& pipeline, std::size_t count) {
    std::vector<KafkaMessage> messages;
    EXPECT_TRUE(pipeline.flush(std::chrono::steady_clock::now() + patience));
    EXPECT_TRUE(eventually(patience, [&] { return outbox_rows() == 0; }));
    messages = KafkaReader{}.read_all(topic_name());
    EXPECT_EQ(messages.size(), count);
    messages.resize(count);
    return messages;
  }
};
INSTANTIATE_TEST_SUITE_P(Routes, PipelineDelivers, ::testing::Bool(), [](const auto& route) {
  return route.param ? "ThroughTheOutbox" : "Directly";
});

TEST_P(PipelineDelivers, KeyPayloadHeadersAndEventTimeToTheByte) {
  Pipeline pipeline = Pipeline::open(settings());
  const Topic topic = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();
  const std::string key{"k\0ey", 4};
  const std::string payload{"\0\x01\xff\n payload", 12};
  const std::array headers{Header{.name = "trace",
                                  .value = bytes_of("1\0"
                                                    "2")},
                           Header{.name = "empty", .value = Bytes{}},
                           Header{.name = "null", .value = std::nullopt},
                           Header{.name = "trace", .value = bytes_of("again")}};

  const PublishResult result =
      publisher.publish({.topic = topic,
                         .key = Key{key},
                         .payload = bytes_of(payload),
                         .headers = headers,
                         .event_time = EventTime{std::chrono::milliseconds{1'234'567'890'123}}});

  ASSERT_TRUE(result);
  const KafkaMessage message = arrived_through(pipeline, 1).front();
  EXPECT_EQ(message.key, key);
  EXPECT_EQ(message.payload, payload);
  EXPECT_EQ(own_headers(message),
            (Texts{{"trace", "1"}, {"empty", ""}, {"null", std::nullopt}, {"trace", "again"}}));
  EXPECT_EQ(message.timestamp_ms, 1'234'567'890'123);
}

TEST_P(PipelineDelivers, NoKeyAnEmptyKeyAnEmptyPayloadAndATombstoneAsWhatTheyAre) {
  Pipeline pipeline = Pipeline::open(settings());
  const Topic topic = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();

  ASSERT_TRUE(publisher.publish({.topic = topic, .payload = bytes_of("no key")}));
  ASSERT_TRUE(publisher.publish({.topic = topic, .key = "", .payload = bytes_of("empty key")}));
  ASSERT_TRUE(publisher.publish({.topic = topic, .key = "empty payload"}));
  ASSERT_TRUE(publisher.publish({.topic = topic, .key = "tombstone", .tombstone = true}));

  std::map<std::optional<std::string>, std::optional<std::string>> payloads;
  for (const KafkaMessage& message : arrived_through(pipeline, 4))
    payloads[message.key] = message.payload;
  EXPECT_EQ(payloads[std::nullopt], "no key");
  EXPECT_EQ(payloads[""], "empty key");
  EXPECT_EQ(payloads["empty payload"], "");
  EXPECT_EQ(payloads["tombstone"], std::nullopt);
  EXPECT_EQ(payloads.size(), 4);
}

TEST_P(PipelineDelivers, WhatWasWrittenInPlaceAndNothingOfAClaimThatWasDropped) {
  Pipeline pipeline = Pipeline::open(settings());
  const Topic topic = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();
  const std::string_view text = "written in place";

  {
    const Claim dropped = publisher.claim(topic, "key", 1'000);
    std::ranges::fill(dropped.payload(), std::byte{'x'});
  }
  {
    Claim claim = publisher.claim(topic, "key", text.size());
    std::ranges::copy(bytes_of(text), claim.payload().begin());
    ASSERT_TRUE(claim.commit());
    EXPECT_FALSE(claim.commit()) << "once";
  }

  EXPECT_EQ(arrived_through(pipeline, 1).front().payload, text);
}

TEST_P(PipelineDelivers, EachKeyInPublishOrderUnderAPositionThatAscends) {
  constexpr std::size_t count = 3'000;
  constexpr std::size_t keys = 7;
  Pipeline pipeline = Pipeline::open(settings());
  const Topic topic = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();

  for (std::size_t n = 0; n < count; ++n) {
    ASSERT_TRUE(publisher.publish(topic, Key{std::to_string(n % keys)},
                                  bytes_of(std::to_string(n / keys))));
  }

  std::map<std::string, std::size_t> next;
  std::map<std::pair<std::int32_t, std::uint32_t>, std::uint64_t> last;
  for (const KafkaMessage& message : arrived_through(pipeline, count)) {
    EXPECT_EQ(message.payload, std::to_string(next[message.key.value_or("")]++));
    const auto position = Position::parse(message.header("spillway-position"));
    ASSERT_TRUE(position) << message.header("spillway-position");
    std::uint64_t& seq = last[{message.partition, position->lane}];
    EXPECT_GT(position->seq, seq);
    seq = position->seq;
    EXPECT_EQ(message.header("spillway-resend"), "");
    if (GetParam()) {
      EXPECT_EQ(message.header("spillway-relayed"), "1");
    }
  }
  EXPECT_EQ(next.size(), keys);
  expect_audit_clean();
}

}  // namespace
}  // namespace spillway::test
