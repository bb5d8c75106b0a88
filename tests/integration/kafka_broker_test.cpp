// tests/integration/kafka_broker_test.cpp: one producer against a real Kafka: what it was given
// arrives once, in order and byte for byte, through a stop of the broker; what it was refused is
// said (P3, P5, P8, P11).

#include "adapters/kafka/kafka_broker.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "core/header_block.hpp"
#include "integration/with_kafka_brokers.hpp"
#include "runtime/event.hpp"
#include "spillway/error.hpp"
#include "support/cpu_time.hpp"

namespace spillway::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

void command_stack(const std::string& command) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no test changes its environment.
  const char* stack = std::getenv("SPILLWAY_STACK");
  ASSERT_NE(stack, nullptr) << "SPILLWAY_STACK does not name tools/stack";
  // NOLINTNEXTLINE(concurrency-mt-unsafe): only one thread calls it.
  ASSERT_EQ(std::system((std::string{stack} + " " + command).c_str()), 0) << command;
}

std::chrono::nanoseconds cpu_of_other_threads() {
  return test::cpu_of(CLOCK_PROCESS_CPUTIME_ID) - test::cpu_of(CLOCK_THREAD_CPUTIME_ID);
}

// SIGSTOP now, SIGCONT at the end of the scope.
class PausedKafka {
 public:
  PausedKafka() { command_stack("pause kafka"); }
  PausedKafka(const PausedKafka&) = delete;
  PausedKafka& operator=(const PausedKafka&) = delete;
  ~PausedKafka() { command_stack("resume kafka"); }
};

class KafkaBrokerTest : public WithKafkaBrokers {};

TEST_F(KafkaBrokerTest, BecomesUpAndWarmWithoutARecord) {
  const auto broker = KafkaBroker::make(settings(), log_);

  EXPECT_FALSE(broker->health().fatal);
  EXPECT_TRUE(poll_until(*broker, 5s, [&] { return broker->health().up; }));
  EXPECT_TRUE(poll_until(*broker, 5s, [&] { return broker->health().warm; }));
  EXPECT_THAT(log_.lines(), SizeIs(0));
}

TEST_F(KafkaBrokerTest, DeliversEachRecordOnceAndKeepsTheOrderOfAKey) {
  const std::string topic = make_topic(3);
  const auto broker = KafkaBroker::make(settings(), log_);
  const auto handle = broker->open_topic(topic);
  EXPECT_EQ(broker->open_topic(topic).value, handle.value);

  std::array<std::string, 10> keys;
  for (std::size_t i = 0; i < keys.size(); ++i)
    keys[i] = "key " + std::to_string(i);
  for (std::uint64_t n = 1; n <= 10'000; ++n) {
    ports::Submission record = numbered(handle, n);
    record.key = bytes_of(keys[n % keys.size()]);
    ASSERT_EQ(broker->submit(record), SubmitResult::accepted);
  }
  ASSERT_TRUE(poll_all(*broker));

  EXPECT_THAT(outcomes(), ElementsAre(Pair(DeliveryOutcome::delivered, 10'000)));
  std::set<std::uint64_t> tags;
  for (const ports::Report& report : reports_)
    tags.insert(report.tag);
  EXPECT_THAT(tags, SizeIs(10'000));
  std::map<std::int32_t, std::uint64_t> last_seq;
  std::map<std::string, std::int32_t> partition_of_key;
  const auto messages = reader_.read_all(topic);
  ASSERT_THAT(messages, SizeIs(10'000));
  for (const KafkaMessage& message : messages) {
    const std::uint64_t seq = seqs_of({message}).front();
    EXPECT_LT(last_seq[message.partition], seq);
    last_seq[message.partition] = seq;
    EXPECT_EQ(message.payload, payloads_.at(seq));
    EXPECT_EQ(message.key, keys[seq % keys.size()]);
    EXPECT_EQ(
        partition_of_key.try_emplace(message.key.value_or(""), message.partition).first->second,
        message.partition);
  }
  EXPECT_THAT(last_seq, SizeIs(3));
}

TEST_F(KafkaBrokerTest, KeepsHeadersToTheByteAndPutsItsOwnBehindThem) {
  const std::string topic = make_topic();
  const auto broker = KafkaBroker::make(settings(), log_);
  const std::string binary{"\0\xff\n", 3};
  const std::array headers{Header{.name = "same", .value = bytes_of("first")},
                           Header{.name = "same", .value = bytes_of(binary)},
                           Header{.name = "empty", .value = bytes_of("")},
                           Header{.name = "null", .value = std::nullopt},
                           Header{.name = "", .value = bytes_of("nameless")}};
  std::vector<std::byte> block(core::header_block_bytes(headers).value_or(0));
  core::encode_headers(headers, block);
  const ports::Submission plain = numbered(broker->open_topic(topic), 1);
  ports::Submission full = numbered(broker->open_topic(topic), 42);
  full.headers = block;
  full.provenance.resend = core::ResendCause::lease;
  full.provenance.renumbered_from = {17};
  full.provenance.relayed_accepted_at = core::UnixTime{1'700'000'000'123'456'789};

  ASSERT_EQ(broker->submit(plain), SubmitResult::accepted);
  ASSERT_EQ(broker->submit(full), SubmitResult::accepted);
  ASSERT_TRUE(poll_all(*broker));

  const auto messages = reader_.read_all(topic);
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_THAT(messages[0].headers, ElementsAre(Pair("spillway-position", "0123456789abcdef-3-1")));
  EXPECT_THAT(
      messages[1].headers,
      ElementsAre(Pair("same", "first"), Pair("same", binary), Pair("empty", ""),
                  Pair("null", std::nullopt), Pair("", "nameless"),
                  Pair("spillway-position", "0123456789abcdef-3-42"),
                  Pair("spillway-resend", "lease"), Pair("spillway-renumbered", "17"),
                  Pair("spillway-accepted-at", "1700000000123"), Pair("spillway-relayed", "1")));
}

TEST_F(KafkaBrokerTest, TellsAbsentFromEmpty) {
  const std::string topic = make_topic();
  const auto broker = KafkaBroker::make(settings(), log_);
  ports::Submission record = numbered(broker->open_topic(topic), 1);

  for (const std::optional<ports::Bytes>& key : {std::optional<ports::Bytes>{}, {ports::Bytes{}}}) {
    for (const std::optional<ports::Bytes>& payload :
         {std::optional<ports::Bytes>{}, {ports::Bytes{}}}) {
      record.key = key;
      record.payload = payload;
      ASSERT_EQ(broker->submit(record), SubmitResult::accepted);
    }
  }
  ASSERT_TRUE(poll_all(*broker));

  const auto messages = reader_.read_all(topic);
  ASSERT_THAT(messages, SizeIs(4));
  const std::optional<std::string> absent;
  const std::optional<std::string> empty = "";
  EXPECT_EQ(std::pair(messages[0].key, messages[0].payload), std::pair(absent, absent));
  EXPECT_EQ(std::pair(messages[1].key, messages[1].payload), std::pair(absent, empty));
  EXPECT_EQ(std::pair(messages[2].key, messages[2].payload), std::pair(empty, absent));
  EXPECT_EQ(std::pair(messages[3].key, messages[3].payload), std::pair(empty, empty));
}

TEST_F(KafkaBrokerTest, AnEventTimeBecomesTheTimestamp) {
  const std::string topic = make_topic();
  const auto broker = KafkaBroker::make(settings(), log_);
  ports::Submission record = numbered(broker->open_topic(topic), 1);
  record.event_time_ms = 1'600'000'000'000;

  ASSERT_EQ(broker->submit(record), SubmitResult::accepted);
  ASSERT_TRUE(poll_all(*broker));

  EXPECT_EQ(reader_.read_all(topic).front().timestamp_ms, 1'600'000'000'000);
}

TEST_F(KafkaBrokerTest, AShortSpanOfReportsLosesNone) {
  const auto broker = KafkaBroker::make(settings(), log_);
  const auto handle = broker->open_topic(make_topic(2));
  submit_numbered(*broker, handle, 1, 1'000);

  std::set<std::uint64_t> tags;
  std::array<ports::Report, 3> room;
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (broker->outstanding() != 0 && std::chrono::steady_clock::now() < deadline) {
    const std::size_t count = broker->poll(room);
    ASSERT_LE(count, room.size());
    for (std::size_t i = 0; i < count; ++i)
      EXPECT_TRUE(tags.insert(room.at(i).tag).second);
  }

  EXPECT_THAT(tags, SizeIs(1'000));
}

TEST_F(KafkaBrokerTest, WakesASleeperWhenAReportIsDue) {
  runtime::Event wakeup{"the test"};  // written to until the broker's end
  const auto broker = KafkaBroker::make(settings(), log_);
  ASSERT_TRUE(await_warm(*broker));
  broker->notify_on_report(wakeup.descriptor());
  submit_numbered(*broker, broker->open_topic(make_topic()), 1, 1);

  while (broker->outstanding() != 0) {
    pollfd waited{.fd = wakeup.descriptor(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&waited, 1, 5'000), 1);
    ASSERT_EQ(waited.revents, POLLIN) << "a count to read";
    wakeup.clear();
    std::array<ports::Report, 8> room;
    while (broker->poll(room) != 0) {
    }
  }

  EXPECT_EQ(broker->outstanding(), 0U);
}

TEST_F(KafkaBrokerTest, AFewRecordsOfACallerWhoHasBatchesDoNotLinger) {
  BrokerSettings batches = settings();
  batches.in_batches = true;
  batches.properties = {{"linger.ms", "900000"}};
  const auto broker = KafkaBroker::make(batches, log_);
  const auto handle = broker->open_topic(make_topic(32));
  ASSERT_TRUE(await_warm(*broker));

  // librdkafka may be late for one flush, or not know the topic yet; each new partition's first
  // record is another.
  std::uint64_t submitted = 0;
  while (submitted < 50 && outcomes().empty()) {
    ports::Submission record = numbered(handle, ++submitted);
    record.key = record.payload;
    ASSERT_EQ(broker->submit(record), SubmitResult::accepted);
    static_cast<void>(poll_until(*broker, 100ms, [&] { return !outcomes().empty(); }));
  }

  EXPECT_FALSE(outcomes().empty());
}

// A hundred records, each with a key of its own, over 32 partitions, faster than a batch closes.
class KafkaBrokerTurnTest : public KafkaBrokerTest {
 protected:
  static constexpr std::uint64_t last = 100;

  struct Caller {
    const char* linger_ms;
    bool in_batches = false;
  };
  std::unique_ptr<KafkaBroker> make_broker(Caller caller) {
    BrokerSettings made = settings();
    made.in_batches = caller.in_batches;
    made.properties = {{"linger.ms", caller.linger_ms}};
    auto broker = KafkaBroker::make(made, log_);
    topic_ = broker->open_topic(make_topic(32));
    submit_numbered(*broker, topic_, 1, 1);  // says how many partitions there are
    EXPECT_TRUE(poll_all(*broker));
    for (std::uint64_t n = 2; n <= last; ++n)
      keys_[n] = "key " + std::to_string(n);
    return broker;
  }
  void submit_keyed(KafkaBroker& broker, std::uint64_t n) {
    ports::Submission record = numbered(topic_, n);
    record.key = bytes_of(keys_.at(n));
    ASSERT_EQ(broker.submit(record), SubmitResult::accepted);
  }
  std::vector<std::uint64_t> submit_all_and_take_back(KafkaBroker& broker) {
    for (std::uint64_t n = 2; n <= last; ++n)
      submit_keyed(broker, n);
    return broker.take_back();
  }

  ports::TopicHandle topic_{};
  std::map<std::uint64_t, std::string> keys_;
};

TEST_F(KafkaBrokerTurnTest, OfMoreThanTenPartitionsRecordsWaitHereUntilTheirTurn) {
  const auto broker = make_broker({.linger_ms = "0.9"});

  std::vector<std::uint64_t> waited;
  {
    const PausedKafka paused;
    waited = submit_all_and_take_back(*broker);
  }
  EXPECT_THAT(waited, SizeIs(testing::Ge(last / 2)));
  for (const std::uint64_t n : waited)
    submit_keyed(*broker, n);
  ASSERT_TRUE(poll_all(*broker));

  EXPECT_THAT(outcomes(), ElementsAre(Pair(DeliveryOutcome::delivered, last)));
}

TEST_F(KafkaBrokerTurnTest, BatchesThatLingerAwaitNone) {
  const auto broker = make_broker({.linger_ms = "500"});

  EXPECT_THAT(submit_all_and_take_back(*broker), SizeIs(0));
}

TEST_F(KafkaBrokerTurnTest, ACallerWhoHasBatchesAwaitsNone) {
  const auto broker = make_broker({.linger_ms = "0.9", .in_batches = true});

  // A busy machine is slower than a batch closes now and then: its records wait behind it.
  std::size_t waited = last;
  for (int attempt = 0; attempt < 100 && waited != 0; ++attempt) {
    waited = submit_all_and_take_back(*broker).size();
    ASSERT_TRUE(poll_all(*broker));
  }
  EXPECT_EQ(waited, 0U);
}

TEST_F(KafkaBrokerTest, RefusesRecordsOfAnUnknownTopicAndGoesOnWithOthers) {
  const auto broker = KafkaBroker::make(settings(), log_);
  const std::string good = make_topic();
  const auto known = broker->open_topic(good);
  const auto unknown = broker->open_topic(test::new_topic_name("missing"));

  submit_numbered(*broker, unknown, 1'001, 1'010);
  submit_numbered(*broker, known, 1, 100);
  ASSERT_TRUE(poll_all(*broker));

  EXPECT_THAT(outcomes(), ElementsAre(Pair(DeliveryOutcome::delivered, 100),
                                      Pair(DeliveryOutcome::refused, 10)));
  for (const ports::Report& report : reports_) {
    EXPECT_EQ(report.outcome == DeliveryOutcome::refused, report.tag > 1'000);
    EXPECT_EQ(std::string_view{report.error}.starts_with("UNKNOWN_TOPIC_OR_PART"),
              report.tag > 1'000);
  }
  EXPECT_EQ(broker->submit(numbered(unknown, 1'011)), SubmitResult::refused);
  EXPECT_THAT(broker->refusal(), HasSubstr("_UNKNOWN_TOPIC"));
  expect_each_once_in_order(reader_.read_all(good), 100);
}

TEST_F(KafkaBrokerTest, RefusesRecordsOfADeletedTopic) {
  const auto broker = KafkaBroker::make(settings(), log_);
  const std::string topic = make_topic();
  const auto handle = broker->open_topic(topic);
  submit_numbered(*broker, handle, 1, 1);
  ASSERT_TRUE(poll_all(*broker));
  admin_.delete_topic(topic);

  std::uint64_t n = 1;
  const bool is_refused = poll_until(*broker, 30s, [&] {
    return broker->outstanding() == 0 &&
           broker->submit(numbered(handle, ++n)) == SubmitResult::refused;
  });

  EXPECT_TRUE(is_refused);
  EXPECT_THAT(broker->refusal(), HasSubstr("_UNKNOWN_TOPIC"));
  for (const ports::Report& report : reports_) {
    EXPECT_TRUE(report.outcome == DeliveryOutcome::delivered ||
                report.outcome == DeliveryOutcome::refused)
        << report.error;
  }
}

TEST_F(KafkaBrokerTest, RefusesWhatIsTooLargeForAnyTopicAtOnce) {
  BrokerSettings small = settings();
  small.batch_bytes_max = 10'000;
  small.record_bytes_max = 20'000;
  const auto broker = KafkaBroker::make(small, log_);
  EXPECT_EQ(broker->batch_bytes_max(), 10'000U);
  const std::string large(20'000, 'x');
  ports::Submission record = numbered(broker->open_topic(make_topic()), 1);
  record.payload = bytes_of(large);

  EXPECT_EQ(broker->submit(record), SubmitResult::refused);
  EXPECT_THAT(broker->refusal(), HasSubstr("MSG_SIZE_TOO_LARGE"));
  EXPECT_EQ(broker->outstanding(), 0U);
}

TEST_F(KafkaBrokerTest, ARecordAboveItsTopicsLimitFailsAloneWhileBatchesStayBelowIt) {
  BrokerSettings below = settings();
  below.batch_bytes_max = 1'000;
  const auto broker = KafkaBroker::make(below, log_);
  const std::string topic = make_topic(1, {{"max.message.bytes", "1000"}});
  const auto handle = broker->open_topic(topic);
  const std::string large(1'500, 'x');
  ports::Submission oversized = numbered(handle, 500);
  oversized.payload = bytes_of(large);

  submit_numbered(*broker, handle, 1, 499);
  ASSERT_EQ(broker->submit(oversized), SubmitResult::accepted);
  submit_numbered(*broker, handle, 501, 1'000);
  ASSERT_TRUE(poll_all(*broker));

  EXPECT_THAT(outcomes(), ElementsAre(Pair(DeliveryOutcome::delivered, 999),
                                      Pair(DeliveryOutcome::batch_refused, 1)));
  std::vector<std::uint64_t> seqs = seqs_of(reader_.read_all(topic));
  EXPECT_THAT(seqs, SizeIs(999));
  EXPECT_TRUE(std::ranges::is_sorted(seqs));
  EXPECT_FALSE(broker->health().fatal);
}

TEST_F(KafkaBrokerTest, RefusesMalformedHeadersAndImpossibleTopics) {
  const auto broker = KafkaBroker::make(settings(), log_);
  constexpr std::array torn{std::byte{0}, std::byte{9}, std::byte{'x'}};
  ports::Submission record = numbered(broker->open_topic(make_topic()), 1);
  record.headers = torn;
  EXPECT_EQ(broker->submit(record), SubmitResult::refused);

  EXPECT_EQ(broker->submit(numbered(broker->open_topic(std::string(600, 'x')), 2)),
            SubmitResult::refused);
  EXPECT_EQ(broker->outstanding(), 0U);
}

TEST_F(KafkaBrokerTest, AFatalProducerTakesNothingMoreAndGivesEverythingBack) {
  const std::string topic = make_topic(2);
  const auto broker = KafkaBroker::make(settings(), log_);
  const auto handle = broker->open_topic(topic);
  ASSERT_TRUE(await_warm(*broker));

  submit_numbered(*broker, handle, 1, 20'000);
  broker->inject_fatal("a drill");
  ASSERT_TRUE(poll_until(*broker, 5s, [&] { return broker->health().fatal; }));
  EXPECT_EQ(broker->submit(numbered(handle, 20'001)), SubmitResult::fatal);
  broker->recall();
  ASSERT_TRUE(poll_all(*broker));

  EXPECT_TRUE(broker->health().fatal);
  EXPECT_FALSE(broker->health().warm);
  EXPECT_THAT(log_.lines(), testing::Contains(HasSubstr("a drill")));
  EXPECT_THAT(reports_, SizeIs(20'000));
  std::map<std::uint64_t, DeliveryOutcome> outcome_of_seq;
  for (const ports::Report& report : reports_) {
    EXPECT_TRUE(outcome_of_seq.emplace(report.tag, report.outcome).second);
    EXPECT_NE(report.outcome, DeliveryOutcome::refused) << report.error;
    EXPECT_NE(report.outcome, DeliveryOutcome::batch_refused) << report.error;
  }
  std::set<std::uint64_t> in_log;
  for (const std::uint64_t seq : seqs_of(reader_.read_all(topic))) {
    EXPECT_TRUE(in_log.insert(seq).second) << "twice: " << seq;
    EXPECT_NE(outcome_of_seq[seq], DeliveryOutcome::not_persisted) << seq;
  }
  for (const auto& [seq, outcome] : outcome_of_seq) {
    EXPECT_TRUE(outcome != DeliveryOutcome::delivered || in_log.contains(seq)) << "lost: " << seq;
  }
}

TEST_F(KafkaBrokerTest, APausedBrokerCostsNothingButTime) {
  const std::string topic = make_topic();
  const auto broker = KafkaBroker::make(settings(), log_);
  const auto handle = broker->open_topic(topic);
  submit_numbered(*broker, handle, 1, 1'000);
  ASSERT_TRUE(poll_all(*broker));

  {
    const PausedKafka pause;
    submit_numbered(*broker, handle, 1'001, 6'000);
    EXPECT_FALSE(poll_all(*broker, 3s));
  }

  EXPECT_TRUE(poll_all(*broker));
  EXPECT_THAT(outcomes(), ElementsAre(Pair(DeliveryOutcome::delivered, 6'000)));
  expect_each_once_in_order(reader_.read_all(topic), 6'000);
  EXPECT_FALSE(broker->health().fatal);
}

// A record that librdkafka has while an answer is out keeps its thread from sleeping.
TEST_F(KafkaBrokerTest, APausedBrokerKeepsNoThreadAwake) {
  const auto broker = KafkaBroker::make(settings(), log_);
  const auto handle = broker->open_topic(make_topic(4));
  ASSERT_TRUE(await_warm(*broker));
  std::uint64_t submitted = 0;
  const auto submit_for = [&](std::chrono::milliseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < until) {
      submit_numbered(*broker, handle, submitted + 1, submitted + 3);
      submitted += 3;
      static_cast<void>(poll_until(*broker, 0ms, [] { return false; }));
      std::this_thread::sleep_for(100us);
    }
  };
  submit_for(300ms);

  constexpr auto hang = 500ms;
  {
    const PausedKafka pause;
    const auto before = cpu_of_other_threads();
    submit_for(hang);
    EXPECT_LT(cpu_of_other_threads() - before, hang / 4);
  }

  EXPECT_TRUE(poll_all(*broker));
  EXPECT_THAT(outcomes(), ElementsAre(Pair(DeliveryOutcome::delivered, submitted)));
}

TEST_F(KafkaBrokerTest, EndsAtOnceWithRecordsInAPausedBrokersHands) {
  auto broker = KafkaBroker::make(settings(), log_);
  const auto handle = broker->open_topic(make_topic());
  ASSERT_TRUE(await_warm(*broker));
  submit_numbered(*broker, handle, 1, 1);
  ASSERT_TRUE(poll_all(*broker));
  const PausedKafka pause;
  submit_numbered(*broker, handle, 2, 5'000);

  const auto start = std::chrono::steady_clock::now();
  broker.reset();

  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
}

TEST_F(KafkaBrokerTest, AKilledBrokerIsSeenAtOnceAndFinishesItsRecordsAfterItsRestart) {
  const std::string topic = make_topic();
  const auto broker = KafkaBroker::make(settings(), log_);
  const auto handle = broker->open_topic(topic);
  submit_numbered(*broker, handle, 1, 1'000);
  ASSERT_TRUE(poll_all(*broker));

  command_stack("kill kafka");
  EXPECT_TRUE(poll_until(*broker, 100ms, [&] { return !broker->health().up; }));
  submit_numbered(*broker, handle, 1'001, 3'000);
  EXPECT_FALSE(poll_all(*broker, 300ms));
  const std::size_t lines_while_away = log_.lines().size();
  command_stack("start kafka");

  ASSERT_TRUE(poll_all(*broker, 60s));
  EXPECT_TRUE(broker->health().up);
  EXPECT_GE(lines_while_away, 1U);
  EXPECT_LE(lines_while_away, 4U) << testing::PrintToString(log_.lines());
  EXPECT_THAT(log_.lines(), testing::Contains(HasSubstr("answers")));
  // librdkafka 2.0.2 turns fatal now and then when its broker is killed; then nothing is promised
  // here.
  if (!broker->health().fatal) expect_each_once_in_order(reader_.read_all(topic), 3'000);
}

TEST_F(KafkaBrokerTest, ARefusedConnectionIsSaidOnceAndNamesTheServer) {
  BrokerSettings wrong = settings();
  wrong.properties = {{"security.protocol", "sasl_plaintext"},  // to a listener that knows no user
                      {"sasl.mechanism", "PLAIN"},
                      {"sasl.username", "somebody"},
                      {"sasl.password", "swordfish"}};
  const auto broker = KafkaBroker::make(wrong, log_);

  EXPECT_TRUE(poll_until(*broker, 10s, [&] { return broker->health().refused; }));
  EXPECT_FALSE(broker->health().up);
  EXPECT_FALSE(poll_until(*broker, 500ms, [] { return false; }));
  const auto lines = log_.lines();
  EXPECT_EQ(std::ranges::count_if(lines,
                                  [](const std::string& line) {
                                    return line.find(test::kafka_servers()) != std::string::npos;
                                  }),
            1)
      << testing::PrintToString(lines);
  EXPECT_THAT(lines, testing::Each(testing::Not(HasSubstr("swordfish"))));
}

TEST_F(KafkaBrokerTest, SettingsThatContradictEachOtherStopTheStart) {
  BrokerSettings wrong = settings();
  wrong.properties = {{"reconnect.backoff.ms", "500"},
                      {"reconnect.backoff.max.ms", "10"},
                      {"security.protocol", "ssl"},
                      {"ssl.ca.location", "/no/such/file"}};

  EXPECT_THROW(static_cast<void>(KafkaBroker::make(wrong, log_)), StartError);
}

}  // namespace
}  // namespace spillway::kafka
