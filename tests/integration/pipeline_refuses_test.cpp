// tests/integration/pipeline_refuses_test.cpp: guards P12 and P16: what is not accepted, and what
// can never be delivered.

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spillway/spillway.hpp"
#include "support/kafka_reader.hpp"
#include "support/on_real_stack.hpp"

namespace spillway::test {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

class PipelineRefuses : public OnRealStack {
 protected:
  struct Letter {
    std::string topic;
    std::string position;
    std::string error;
    std::size_t payload_bytes = 0;
  };
  Config settings_with_letters() {
    Config settings = config();
    settings.on_dead_letter = [this](const DeadLetter& letter) {
      const std::lock_guard lock{mutex_};
      letters_.push_back({.topic = std::string{letter.topic},
                          .position = std::string{letter.position},
                          .error = std::string{letter.error},
                          .payload_bytes = letter.payload ? letter.payload->size() : 0});
    };
    return settings;
  }
  std::vector<Letter> letters() {
    const std::lock_guard lock{mutex_};
    return letters_;
  }
  std::string stored_letters(const std::string& topic) {
    return sql().value("SELECT count(*) FROM spillway.dead_letter WHERE topic = '" + topic + "'");
  }

 private:
  std::mutex mutex_;
  std::vector<Letter> letters_;
};

TEST_F(PipelineRefuses, AFullJournalAtOnceAndWaitsForRoomWhenAskedTo) {
  constexpr std::size_t smallest_journal = std::size_t{4} << 20;
  Config settings = config();
  settings.journal.size_bytes = smallest_journal;
  settings.lanes.window_bytes = smallest_journal / 4;
  Pipeline pipeline = Pipeline::open(settings);
  const Topic topic = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();
  const std::string payload(10'000, 'x');
  const Envelope envelope{.topic = topic, .key = "key", .payload = bytes_of(payload)};

  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  {
    const Killed postgres{stack(), Server::postgres};
    const Paused broker{stack(), Server::kafka};
    PublishResult result = publisher.publish(envelope);
    for (; result; result = publisher.publish(envelope))
      ++accepted;
    EXPECT_EQ(result.status(), PublishStatus::journal_full);
    EXPECT_EQ(publisher.publish_within(50ms, envelope).status(), PublishStatus::journal_full);
    refused = pipeline.counters().journal_full;
    EXPECT_LE(accepted * payload.size(), settings.journal.size_bytes);
    EXPECT_GE(accepted * payload.size(), settings.journal.size_bytes / 2);
  }

  // Room comes as soon as either of them takes something.
  EXPECT_TRUE(publisher.publish_within(patience, envelope));
  EXPECT_GE(refused, 2);
  EXPECT_TRUE(ends_quiet(pipeline));
  EXPECT_EQ(pipeline.counters().accepted, accepted + 1);
  expect_conserved(pipeline.counters());
  expect_audit_clean();
}

TEST_F(PipelineRefuses, WhatIsLargerThanARecordMayBe) {
  Config settings = config();
  settings.journal.record_bytes_max = 10'000;
  Pipeline pipeline = Pipeline::open(settings);
  const Topic topic = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();
  const std::string payload(10'000, 'x');

  EXPECT_EQ(publisher.publish(topic, "key", bytes_of(payload)).status(), PublishStatus::too_large);
  EXPECT_EQ(publisher.claim(topic, no_key, 10'001).commit().status(), PublishStatus::too_large);
  EXPECT_TRUE(publisher.publish(topic, no_key, bytes_of(payload)));

  EXPECT_EQ(pipeline.counters().too_large, 2);
  EXPECT_TRUE(pipeline.flush(std::chrono::steady_clock::now() + patience));
}

TEST_F(PipelineRefuses, AMessageAboveTheTopicsLimitAsADeadLetterAndItsNeighboursGoOn) {
  const std::string narrow = new_topic_name("narrow");
  kafka().create_topic(narrow, 1, {{"max.message.bytes", "20000"}});
  Pipeline pipeline = Pipeline::open(settings_with_letters());
  const Topic topic = pipeline.topic(narrow);
  Publisher publisher = pipeline.publisher();
  const std::string large(30'000, 'x');

  for (int n = 0; n < 100; ++n) {
    ASSERT_TRUE(publisher.publish(topic, "key", bytes_of(std::to_string(n))));
    if (n == 50) {
      ASSERT_TRUE(publisher.publish(topic, "key", bytes_of(large)));
    }
  }
  ASSERT_TRUE(pipeline.flush(std::chrono::steady_clock::now() + patience));

  ASSERT_EQ(letters().size(), 1);
  EXPECT_EQ(letters()[0].topic, narrow);
  EXPECT_EQ(letters()[0].payload_bytes, large.size());
  EXPECT_THAT(letters()[0].error, HasSubstr("MSG_SIZE_TOO_LARGE"));
  EXPECT_EQ(stored_letters(narrow), "1");
  EXPECT_TRUE(eventually(patience, [&] { return outbox_rows() == 0; }));
  const std::vector<KafkaMessage> messages = KafkaReader{}.read_all(narrow);
  ASSERT_EQ(messages.size(), 100);
  for (std::size_t n = 0; n < messages.size(); ++n)
    EXPECT_EQ(messages[n].payload, std::to_string(n));
  EXPECT_EQ(pipeline.counters().dead_lettered + pipeline.counters().relay.dead_lettered, 1);
  kafka().delete_topic(narrow);
}

TEST_F(PipelineRefuses, WhatGoesToATopicThatWasDeletedMeanwhileAndOtherTopicsFlow) {
  const std::string deleted = new_topic_name("deleted");
  kafka().create_topic(deleted);
  Pipeline pipeline = Pipeline::open(settings_with_letters());
  const Topic lost = pipeline.topic(deleted);
  const Topic kept = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();
  ASSERT_TRUE(publisher.publish(lost, "key", bytes_of("before")));
  ASSERT_TRUE(pipeline.flush(std::chrono::steady_clock::now() + patience));

  kafka().delete_topic(deleted);
  for (int n = 0; n < 100; ++n) {
    ASSERT_TRUE(publisher.publish(lost, "key", bytes_of("after")));
    ASSERT_TRUE(publisher.publish(kept, Key{std::to_string(n)}, bytes_of(std::to_string(n))));
  }

  EXPECT_TRUE(eventually(
      patience,
      [&] { return stored_letters(deleted) == "100" && pipeline.counters().in_flight == 0; }))
      << stored_letters(deleted) << " letters";
  EXPECT_TRUE(eventually(patience, [&] { return outbox_rows() == 0; }));
  // What librdkafka calls it depends on when it asks for the topic's partitions.
  EXPECT_THAT(letters().at(0).error,
              AnyOf(HasSubstr("UNKNOWN_TOPIC"), HasSubstr("UNKNOWN_PARTITION")));
  EXPECT_EQ(KafkaReader{}.read_all(topic_name()).size(), 100);
  expect_audit_clean();
}

}  // namespace
}  // namespace spillway::test
