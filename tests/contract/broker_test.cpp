// tests/contract/broker_test.cpp: what ports/broker.hpp says, of the simulated and the real
// producer.

#include "ports/broker.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "adapters/kafka/kafka_broker.hpp"
#include "core/header_block.hpp"
#include "core/position.hpp"
#include "support/driving.hpp"
#include "support/kafka_admin.hpp"
#include "support/kafka_reader.hpp"
#include "support/record_maker.hpp"
#include "support/recording_log.hpp"
#include "support/sim/sim_broker.hpp"

namespace spillway {
namespace {

using namespace std::chrono_literals;
using ports::DeliveryOutcome;
using ports::SubmitResult;
using test::KafkaMessage;

class SimulatedKafka {
 public:
  std::string make_topic(int partitions, std::size_t message_bytes_max) {
    std::string name = "topic-" + std::to_string(++topics_);
    world_.kafka().create_topic(name, {.partitions = static_cast<std::uint32_t>(partitions),
                                       .message_bytes_max = message_bytes_max});
    return name;
  }
  std::unique_ptr<ports::Broker> make_broker(std::size_t batch_bytes_max) {
    return std::make_unique<sim::SimBroker>(
        world_, sim::SimBrokerSettings{.actor = {++actors_}, .batch_bytes_max = batch_bytes_max});
  }
  static void turn_fatal(ports::Broker& broker) {
    dynamic_cast<sim::SimBroker&>(broker).turn_fatal();
  }
  template <class Condition>
  bool eventually(Condition condition) {
    for (int i = 0; i < 100'000; ++i) {
      if (condition()) return true;
      world_.advance(world_.now() + 200us);
    }
    return false;
  }
  std::vector<KafkaMessage> read(const std::string& topic) {
    std::vector<KafkaMessage> messages;
    const sim::SimTopic& from = *world_.kafka().topic(topic);
    for (std::size_t partition = 0; partition < from.partitions.size(); ++partition) {
      for (const sim::LogRecord& record : from.partitions[partition]) {
        messages.push_back({.partition = static_cast<std::int32_t>(partition),
                            .key = text_of(record.key),
                            .payload = text_of(record.payload),
                            .headers = {}});
        for (const auto& [name, value] : record.headers) {
          messages.back().headers.emplace_back(name, text_of(value));
        }
      }
    }
    return messages;
  }

 private:
  static std::optional<std::string> text_of(const std::optional<sim::ByteString>& bytes) {
    if (!bytes) return std::nullopt;
    return test::text_of(*bytes);
  }

  static sim::FaultPlan plan() {
    sim::FaultPlan keeps_back;
    keeps_back.kafka.kept_back = sim::always;
    return keeps_back;
  }
  sim::World world_{plan()};
  int topics_ = 0;
  std::uint32_t actors_ = 0;
};

class RealKafka {
 public:
  std::string make_topic(int partitions, std::size_t message_bytes_max) {
    std::string name = test::new_topic_name("contract");
    admin_.create_topic(name, partitions,
                        {{"max.message.bytes", std::to_string(message_bytes_max)}});
    return name;
  }
  std::unique_ptr<ports::Broker> make_broker(std::size_t batch_bytes_max) {
    kafka::BrokerSettings settings;
    settings.bootstrap_servers = test::kafka_servers();
    settings.batch_bytes_max = batch_bytes_max;
    return kafka::KafkaBroker::make(settings, log_);
  }
  static void turn_fatal(ports::Broker& broker) {
    dynamic_cast<kafka::KafkaBroker&>(broker).inject_fatal("asked for by a test");
  }
  template <class Condition>
  bool eventually(Condition condition) {
    return testing::eventually(30s, condition);
  }
  std::vector<KafkaMessage> read(const std::string& topic) { return reader_.read_all(topic); }

 private:
  testing::RecordingLog log_;  // its broker's, so it goes last
  test::KafkaAdmin admin_;
  test::KafkaReader reader_;
};

constexpr std::size_t usual_message_bytes = 1'048'588;
constexpr std::size_t usual_batch_bytes = 900'000;
constexpr core::StreamId stream{.instance = {0xFEDC'BA98'7654'3210}, .lane = {7}};

template <class Kafka>
class BrokerContract : public ::testing::Test {
 protected:
  std::string make_topic(int partitions = 1, std::size_t message_bytes_max = usual_message_bytes) {
    return kafka_.make_topic(partitions, message_bytes_max);
  }
  void make_broker(std::size_t batch_bytes_max = usual_batch_bytes) {
    broker_ = kafka_.make_broker(batch_bytes_max);
    ASSERT_TRUE(eventually([&] { return broker_->health().up && broker_->health().warm; }));
  }

  /// Numbered by tag and seq; its payload lives as long as the test.
  ports::Submission record(ports::TopicHandle topic, std::uint64_t n,
                           const std::string& payload = "payload") {
    payloads_.push_back(payload + " " + std::to_string(n));
    ports::Submission made;
    made.topic = topic;
    made.key = bytes_of("key");
    made.payload = bytes_of(payloads_.back());
    made.provenance.stream = stream;
    made.provenance.seq = {n};
    made.tag = n;
    return made;
  }
  /// Waits while the broker is busy.
  SubmitResult submit(const ports::Submission& submission) {
    SubmitResult result = SubmitResult::busy;
    EXPECT_TRUE(eventually([&] {
      result = broker_->submit(submission);
      return result != SubmitResult::busy;
    }));
    return result;
  }
  /// Turns the world once for each look, and hears the broker.
  template <class Condition>
  bool eventually(Condition condition) {
    return kafka_.eventually([&] {
      hear();
      return condition();
    });
  }
  bool hears(std::size_t reports) {
    return eventually([&] { return outcomes_.size() == reports; });
  }
  void hear() {
    std::array<ports::Report, 64> room;
    const std::size_t count = broker_->poll(room);
    for (const ports::Report& report : std::span{room}.first(count)) {
      const bool is_first = outcomes_.try_emplace(report.tag, report.outcome).second;
      EXPECT_TRUE(is_first) << "tag " << report.tag << " is reported twice";
      if (report.outcome != DeliveryOutcome::delivered) errors_[report.tag] = report.error;
    }
  }
  [[nodiscard]] std::size_t count(DeliveryOutcome outcome) const {
    std::size_t counted = 0;
    for (const auto& [tag, found] : outcomes_)
      counted += found == outcome ? 1U : 0U;
    return counted;
  }
  /// Seqs by the position header.
  static std::vector<std::uint64_t> seqs_of(const std::vector<KafkaMessage>& messages) {
    std::vector<std::uint64_t> seqs;
    for (const KafkaMessage& message : messages) {
      const auto position =
          core::parse_position(message.header(std::string{core::header_position}));
      EXPECT_TRUE(position.has_value());
      seqs.push_back(position ? position->seq.value : 0);
    }
    return seqs;
  }

  Kafka kafka_;
  std::deque<std::string> payloads_;
  std::unique_ptr<ports::Broker> broker_;
  std::map<std::uint64_t, DeliveryOutcome> outcomes_;
  std::map<std::uint64_t, std::string> errors_;
};

using Kafkas = ::testing::Types<SimulatedKafka, RealKafka>;
TYPED_TEST_SUITE(BrokerContract, Kafkas);

// Valid for ever: a broker may read a key until its report.
std::string_view one_of_16_keys(std::uint64_t n) {
  return std::string_view{"abcdefghijklmnop"}.substr(n % 16, 1);
}

TYPED_TEST(BrokerContract, DeliversWhatItIsGivenOnceAndInOrder) {
  const std::string name = this->make_topic(3);
  this->make_broker();
  const auto topic = this->broker_->open_topic(name);
  const std::array<std::string, 5> keys{"a", "b", "c", "d", ""};
  for (std::uint64_t n = 1; n <= 2'000; ++n) {
    ports::Submission record = this->record(topic, n);
    record.key = bytes_of(keys[n % keys.size()]);
    ASSERT_EQ(this->submit(record), SubmitResult::accepted);
  }

  ASSERT_TRUE(this->hears(2'000));

  EXPECT_EQ(this->count(DeliveryOutcome::delivered), 2'000U);
  const auto messages = this->kafka_.read(name);
  ASSERT_EQ(messages.size(), 2'000U);
  const auto seqs = this->seqs_of(messages);
  std::map<std::int32_t, std::uint64_t> last;
  std::map<std::string, std::int32_t> partition_of;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const KafkaMessage& message = messages[i];
    EXPECT_GT(seqs[i], last[message.partition]);
    last[message.partition] = seqs[i];
    const auto home = partition_of.try_emplace(message.key.value(), message.partition).first;
    EXPECT_EQ(home->second, message.partition) << "a key has one partition";
  }
}

TYPED_TEST(BrokerContract, TellsNullFromEmpty) {
  const std::string name = this->make_topic();
  this->make_broker();
  const auto topic = this->broker_->open_topic(name);
  ports::Submission null = this->record(topic, 1);
  null.key = std::nullopt;
  null.payload = std::nullopt;
  ports::Submission empty = this->record(topic, 2);
  empty.key = bytes_of("");
  empty.payload = bytes_of("");

  ASSERT_EQ(this->submit(null), SubmitResult::accepted);
  ASSERT_EQ(this->submit(empty), SubmitResult::accepted);
  ASSERT_TRUE(this->hears(2));

  const auto messages = this->kafka_.read(name);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].key, std::nullopt);
  EXPECT_EQ(messages[0].payload, std::nullopt);
  EXPECT_EQ(messages[1].key, "");
  EXPECT_EQ(messages[1].payload, "");
}

TYPED_TEST(BrokerContract, CarriesTheUsersHeadersAndSaysWhereTheRecordStands) {
  const std::string name = this->make_topic();
  this->make_broker();
  const std::array<Header, 4> headers{Header{"trace", bytes_of("1")}, Header{"empty", bytes_of("")},
                                      Header{"null", std::nullopt}, Header{"trace", bytes_of("2")}};
  std::vector<std::byte> block(core::header_block_bytes(headers).value());
  core::encode_headers(headers, block);
  ports::Submission record = this->record(this->broker_->open_topic(name), 42);
  record.headers = block;
  record.provenance.resend = core::ResendCause::lease;
  record.provenance.renumbered_from = {17};
  record.provenance.relayed_accepted_at = core::UnixTime{1'700'000'000'123'000'000};

  ASSERT_EQ(this->submit(record), SubmitResult::accepted);
  ASSERT_TRUE(this->hears(1));

  const auto messages = this->kafka_.read(name);
  ASSERT_EQ(messages.size(), 1U);
  using Pairs = std::vector<std::pair<std::string, std::optional<std::string>>>;
  Pairs users;
  for (const auto& header : messages[0].headers) {
    if (!header.first.starts_with("spillway-")) users.push_back(header);
  }
  EXPECT_EQ(users, (Pairs{{"trace", "1"}, {"empty", ""}, {"null", std::nullopt}, {"trace", "2"}}));
  EXPECT_EQ(messages[0].header("spillway-position"), "fedcba9876543210-7-42");
  EXPECT_EQ(messages[0].header("spillway-resend"), "lease");
  EXPECT_EQ(messages[0].header("spillway-renumbered"), "17");
  EXPECT_EQ(messages[0].header("spillway-relayed"), "1");
  EXPECT_NE(messages[0].header("spillway-accepted-at"), "");
}

TYPED_TEST(BrokerContract, SaysNothingOfAResendThatThereIsNot) {
  const std::string name = this->make_topic();
  this->make_broker();

  ASSERT_EQ(this->submit(this->record(this->broker_->open_topic(name), 1)), SubmitResult::accepted);
  ASSERT_TRUE(this->hears(1));

  const auto messages = this->kafka_.read(name);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].headers.size(), 1U) << "the position alone";
}

TYPED_TEST(BrokerContract, RefusesARecordOfATopicThatDoesNotExistAndNoOther) {
  const std::string name = this->make_topic();
  this->make_broker();
  const auto missing = this->broker_->open_topic(name + "-missing");
  const auto present = this->broker_->open_topic(name);

  const SubmitResult of_missing = this->submit(this->record(missing, 1));
  ASSERT_EQ(this->submit(this->record(present, 2)), SubmitResult::accepted);
  const bool is_reported = of_missing == SubmitResult::accepted;
  ASSERT_TRUE(this->hears(is_reported ? 2 : 1));

  if (is_reported) {
    EXPECT_EQ(this->outcomes_.at(1), DeliveryOutcome::refused);
    EXPECT_NE(this->errors_.at(1), "");
  } else {
    EXPECT_EQ(of_missing, SubmitResult::refused);
  }
  EXPECT_EQ(this->outcomes_.at(2), DeliveryOutcome::delivered);
}

TYPED_TEST(BrokerContract, RefusesARecordThatItsTopicDoesNotTakeAndDeliversItsNeighbours) {
  const std::string name = this->make_topic(1, 4'000);
  this->make_broker(2'000);
  const auto topic = this->broker_->open_topic(name);
  std::size_t expected = 0;
  std::optional<SubmitResult> of_large;
  for (std::uint64_t n = 1; n <= 20; ++n) {
    const bool is_large = n == 10;
    const auto result =
        this->submit(this->record(topic, n, is_large ? std::string(5'000, 'x') : "payload"));
    if (is_large) of_large = result;
    expected += result == SubmitResult::accepted ? 1U : 0U;
  }

  ASSERT_TRUE(this->hears(expected));

  EXPECT_EQ(this->count(DeliveryOutcome::delivered), 19U);
  if (of_large == SubmitResult::accepted) {
    // A broker judges batches: it may not be known that this record was alone in its own.
    EXPECT_TRUE(this->outcomes_.at(10) == DeliveryOutcome::refused ||
                this->outcomes_.at(10) == DeliveryOutcome::batch_refused);
  } else {
    EXPECT_EQ(of_large, SubmitResult::refused);
    EXPECT_STRNE(this->broker_->refusal(), "");
  }
  EXPECT_EQ(this->kafka_.read(name).size(), 19U);
}

TYPED_TEST(BrokerContract, ReportsEveryRecordAfterARecallAndNoneItCallsNotPersistedIsInTheLog) {
  const std::string name = this->make_topic(4);
  this->make_broker();
  const auto topic = this->broker_->open_topic(name);
  for (std::uint64_t n = 1; n <= 5'000; ++n) {
    ports::Submission record = this->record(topic, n);
    record.key = bytes_of(one_of_16_keys(n));
    ASSERT_EQ(this->submit(record), SubmitResult::accepted);
    if (n % 500 == 0) this->hear();
  }

  this->broker_->recall();
  ASSERT_TRUE(this->hears(5'000));

  std::set<std::uint64_t> in_log;
  for (const std::uint64_t seq : this->seqs_of(this->kafka_.read(name)))
    in_log.insert(seq);
  for (const auto& [tag, outcome] : this->outcomes_) {
    if (outcome == DeliveryOutcome::delivered) {
      EXPECT_TRUE(in_log.contains(tag));
    }
    if (outcome == DeliveryOutcome::not_persisted) {
      EXPECT_FALSE(in_log.contains(tag));
    }
  }
}

TYPED_TEST(BrokerContract, GivesBackTheNewestOfAPartitionAndFinishesTheOthers) {
  const std::string name = this->make_topic(4);
  this->make_broker();
  const auto topic = this->broker_->open_topic(name);
  const auto submit_all = [&](std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t n = from; n <= to; ++n) {
      ports::Submission record = this->record(topic, n);
      record.key = bytes_of(one_of_16_keys(n));
      ASSERT_EQ(this->submit(record), SubmitResult::accepted);
    }
  };
  submit_all(1, 500);
  this->hear();  // the broker learns the topic's partitions with its first answers
  ASSERT_TRUE(this->eventually([&] { return !this->outcomes_.empty(); }));
  submit_all(501, 1'000);

  std::set<std::uint64_t> back;
  for (const std::uint64_t tag : this->broker_->take_back())
    EXPECT_TRUE(back.insert(tag).second) << "tag " << tag << " twice";
  EXPECT_FALSE(back.empty());
  ASSERT_TRUE(this->hears(1'000 - back.size()));

  EXPECT_EQ(this->count(DeliveryOutcome::delivered), 1'000 - back.size());
  std::map<std::uint64_t, std::uint64_t> kept_through;  // by key
  for (const std::uint64_t seq : this->seqs_of(this->kafka_.read(name))) {
    EXPECT_FALSE(back.contains(seq)) << "it was given back";
    std::uint64_t& through = kept_through[seq % 16];
    through = std::max(through, seq);
  }
  for (const std::uint64_t tag : back)
    EXPECT_GT(tag, kept_through[tag % 16]) << "something behind it was sent";
  EXPECT_TRUE(this->broker_->take_back().empty());

  // It goes on as before.
  const std::size_t heard = this->outcomes_.size();
  submit_all(1'001, 1'100);
  ASSERT_TRUE(this->hears(heard + 100));
}

TYPED_TEST(BrokerContract, IsDeadOnceItIsFatalAndStillReportsEverything) {
  const std::string name = this->make_topic();
  this->make_broker();
  const auto topic = this->broker_->open_topic(name);
  for (std::uint64_t n = 1; n <= 500; ++n) {
    ASSERT_EQ(this->submit(this->record(topic, n)), SubmitResult::accepted);
  }

  this->kafka_.turn_fatal(*this->broker_);
  ASSERT_TRUE(this->eventually([&] { return this->broker_->health().fatal; }));
  EXPECT_EQ(this->broker_->submit(this->record(topic, 501)), SubmitResult::fatal);
  this->broker_->recall();
  ASSERT_TRUE(this->hears(500));

  EXPECT_FALSE(this->broker_->health().warm);
}

TYPED_TEST(BrokerContract, TakesTheBatchSizeThatItIsMadeWith) {
  this->make_broker(123'456);

  EXPECT_EQ(this->broker_->batch_bytes_max(), 123'456U);
}

// A consumer's position filter is for each partition: in another one it could drop the only copy.
TYPED_TEST(BrokerContract, PutsARecordWithoutAKeyWhereItsSeqSays) {
  const std::string topic = this->make_topic(3);
  constexpr std::uint64_t records = 300;
  for (int times = 0; times < 2; ++times) {
    this->outcomes_.clear();
    this->make_broker();  // another producer, as of a relay
    const ports::TopicHandle handle = this->broker_->open_topic(topic);
    for (std::uint64_t n = 1; n <= records; ++n) {
      ports::Submission record = this->record(handle, n);
      record.key.reset();
      ASSERT_EQ(this->submit(record), SubmitResult::accepted);
    }
    ASSERT_TRUE(this->hears(records));
  }

  std::map<std::string, std::vector<std::int32_t>> partitions;  // by payload
  std::set<std::int32_t> used;
  for (const KafkaMessage& message : this->kafka_.read(topic)) {
    partitions[message.payload.value()].push_back(message.partition);
    used.insert(message.partition);
  }
  EXPECT_EQ(partitions.size(), records);
  EXPECT_EQ(used.size(), 3U);
  for (const auto& [payload, seen] : partitions) {
    ASSERT_EQ(seen.size(), 2U) << payload;
    EXPECT_EQ(seen[0], seen[1]) << payload;
  }
}

}  // namespace
}  // namespace spillway
