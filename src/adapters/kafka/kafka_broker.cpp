#include "adapters/kafka/kafka_broker.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include <unistd.h>

#include "adapters/kafka/error_kinds.hpp"
#include "core/check.hpp"
#include "core/header_block.hpp"
#include "core/position.hpp"
#include "spillway/error.hpp"

namespace spillway::kafka {
namespace {

constexpr std::size_t usual_headers = 4;
constexpr std::size_t few = 100;  // of a caller who has batches: they are worth a wait for the ack
// Five are under way on a connection, and as many are ready when these are answered.
constexpr std::size_t batches_for_a_broker = 10;
constexpr std::chrono::seconds tell_again_after{1};
constexpr std::int64_t ns_per_ms = 1'000'000;
constexpr std::uint64_t wake_token = 1;  // what an eventfd takes

// Null means absent to librdkafka, so what is there but empty needs an address.
const void* address_of(const std::optional<ports::Bytes>& bytes) noexcept {
  if (!bytes) return nullptr;
  return bytes->empty() ? static_cast<const void*>("") : bytes->data();
}

std::size_t size_of(const std::optional<ports::Bytes>& bytes) noexcept {
  return bytes ? bytes->size() : 0;
}

void add(rd_kafka_headers_t* headers, std::string_view name,
         const std::optional<ports::Bytes>& value) noexcept {
  // It has no way to fail (librdkafka 2.0.2 to 2.8.0: out of memory aborts).
  (void)rd_kafka_header_add(headers, name.empty() ? "" : name.data(),
                            static_cast<std::ptrdiff_t>(name.size()), address_of(value),
                            static_cast<std::ptrdiff_t>(size_of(value)));
}

template <class Number>
void add_number(rd_kafka_headers_t* headers, std::string_view name, Number number) noexcept {
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  add(headers, name, bytes_of({text.data(), end}));
}

// The user's in their order, then ours.
MessageHeaders make_headers(const ports::Submission& record,
                            core::PositionWriter& positions) noexcept {
  MessageHeaders headers{rd_kafka_headers_new(usual_headers)};
  core::HeaderReader reader{record.headers};
  while (const auto header = reader.next())
    add(headers.get(), header->name, header->value);

  const ports::Provenance& from = record.provenance;
  add(headers.get(), core::header_position, bytes_of(positions.write(from.stream, from.seq)));
  if (from.resend != core::ResendCause::none) {
    add(headers.get(), core::header_resend, bytes_of(core::name_of(from.resend)));
  }
  if (from.renumbered_from.value != 0) {
    add_number(headers.get(), core::header_renumbered, from.renumbered_from.value);
  }
  if (from.relayed_accepted_at) {
    add_number(headers.get(), core::header_accepted_at, from.relayed_accepted_at->ns / ns_per_ms);
    add(headers.get(), core::header_relayed, bytes_of("1"));
  }
  return headers;
}

PartitionQueue::Clock::duration linger_of(rd_kafka_t* client) noexcept {
  std::array<char, 32> linger{};
  std::size_t bytes = linger.size();
  double linger_ms = 0;
  (void)rd_kafka_conf_get(rd_kafka_conf(client), "linger.ms", linger.data(), &bytes);
  (void)std::from_chars(linger.data(), linger.data() + std::strlen(linger.data()), linger_ms);
  using Milliseconds = std::chrono::duration<double, std::milli>;
  return std::chrono::duration_cast<PartitionQueue::Clock::duration>(Milliseconds{linger_ms});
}

std::int64_t unix_ms_now() noexcept {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// The statistics' `"eos": { "idemp_state": "Assigned", ... }`, near their end.
bool has_producer_id(std::string_view json) noexcept {
  const std::size_t key = json.rfind("\"idemp_state\"");
  if (key == std::string_view::npos) return false;
  return json.substr(key, 40).find("\"Assigned\"") != std::string_view::npos;
}

KafkaBroker& broker_of(void* opaque) noexcept {
  return *static_cast<KafkaBroker*>(opaque);
}

// What fails in a connection reaches on_error() too, which tells each thing once; and the rest is
// of use only to somebody who has asked for debug lines.
LogLevel level_of(int syslog_level, std::string_view facility) noexcept {
  constexpr int syslog_error = 3;
  if (facility == "CONFWARN") return LogLevel::warning;
  if (facility == "FAIL" || facility == "ERROR" || facility == "FATAL") return LogLevel::debug;
  return syslog_level <= syslog_error ? LogLevel::error : LogLevel::debug;
}

}  // namespace

struct KafkaBroker::Callbacks {
  // ---- Inside poll() ----

  static void report(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* opaque) {
    broker_of(opaque).on_report(*message);
  }

  static void error(rd_kafka_t* /*client*/, int code, const char* text, void* opaque) {
    broker_of(opaque).on_error(static_cast<rd_kafka_resp_err_t>(code), text);
  }

  static int statistics(rd_kafka_t* /*client*/, char* json, std::size_t json_bytes, void* opaque) {
    broker_of(opaque).on_statistics({json, json_bytes});
    return 0;  // librdkafka frees it
  }

  // ---- Inside submit(); on librdkafka's main thread while a topic is unknown ----

  static std::int32_t partition(const rd_kafka_topic_t* /*topic*/, const void* key,
                                std::size_t key_bytes, std::int32_t partitions,
                                void* /*topic_opaque*/, void* message_opaque) {
    const Sent& sent = *static_cast<const Sent*>(message_opaque);
    sent.queue->topic.note_partitions(partitions);
    if (partitions == sent.partitions) return sent.queue->partition;
    std::optional<ports::Bytes> bytes;
    if (key != nullptr) bytes.emplace(static_cast<const std::byte*>(key), key_bytes);
    return partition_of(bytes, sent.seq, partitions);
  }

  // ---- On librdkafka's threads ----

  static void log(const rd_kafka_t* client, int level, const char* facility, const char* text) {
    broker_of(rd_kafka_opaque(client))
        .log_.write(level_of(level, facility), std::string{"librdkafka: "} + text);
  }

  static rd_kafka_resp_err_t on_new(rd_kafka_t* client, const rd_kafka_conf_t* /*settings*/,
                                    void* opaque, char* /*error*/, std::size_t /*error_bytes*/) {
    broker_of(opaque).interceptors_made_ = true;
    return rd_kafka_interceptor_add_on_broker_state_change(client, "spillway", broker_state,
                                                           opaque);
  }

  // Tells 0.3 ms after a socket dies. librdkafka serves each broker, a bootstrap address or a
  // learned one, on a thread of its own and changes its state there only (asserted in
  // rd_kafka_broker_fail).
  // NOLINTNEXTLINE(readability-function-size): the parameters are librdkafka's.
  static rd_kafka_resp_err_t broker_state(rd_kafka_t* /*client*/, std::int32_t broker_id,
                                          const char* /*protocol*/, const char* /*host*/, int port,
                                          const char* state, void* opaque) {
    if (port == 0) return RD_KAFKA_RESP_ERR_NO_ERROR;  // the internal one, which is always up
    thread_local bool was_up = false;
    const std::string_view name{state};
    const bool is_up = name == "UP" || name == "UPDATE";
    if (is_up == was_up) return RD_KAFKA_RESP_ERR_NO_ERROR;
    was_up = is_up;
    KafkaBroker& broker = broker_of(opaque);
    const int change = is_up ? 1 : -1;
    if (broker_id >= 0) broker.members_up_.fetch_add(change, std::memory_order_relaxed);
    const int before = broker.brokers_up_.fetch_add(change, std::memory_order_relaxed);
    if (before == 0) broker.times_up_.fetch_add(1, std::memory_order_relaxed);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }
};

std::unique_ptr<KafkaBroker> KafkaBroker::make(const BrokerSettings& settings, ports::Log& log) {
  return std::make_unique<KafkaBroker>(Passkey{}, settings, log);
}

KafkaBroker::KafkaBroker(Passkey /*passkey*/, const BrokerSettings& settings, ports::Log& log)
    : log_{log},
      servers_{settings.bootstrap_servers},
      batch_bytes_max_{settings.batch_bytes_max},
      in_batches_{settings.in_batches} {
  ClientSettings made = make_client_settings(settings);
  rd_kafka_conf_set_opaque(made.get(), this);
  rd_kafka_conf_set_dr_msg_cb(made.get(), Callbacks::report);
  rd_kafka_conf_set_error_cb(made.get(), Callbacks::error);
  rd_kafka_conf_set_stats_cb(made.get(), Callbacks::statistics);
  rd_kafka_conf_set_log_cb(made.get(), Callbacks::log);
  // It is there: a topic's property is among the settings.
  rd_kafka_topic_conf_set_partitioner_cb(rd_kafka_conf_get_default_topic_conf(made.get()),
                                         Callbacks::partition);
  (void)rd_kafka_conf_interceptor_add_on_new(made.get(), "spillway", Callbacks::on_new, this);
  (void)describe(RD_KAFKA_RESP_ERR_NO_ERROR);  // builds its texts here, not on a lane

  std::array<char, 512> error{};
  client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, made.get(), error.data(), error.size()));
  // On success the client owns the settings. After a failure that had come as far as on_new(),
  // parts of them are freed already, and freeing the rest frees these twice (librdkafka 2.0.2):
  // leaked.
  if (client_ || interceptors_made_) (void)made.release();
  if (!client_) {
    throw StartError{"Kafka at " + servers_ + ": librdkafka cannot use these settings: " +
                     error.data() + "; see kafka.properties"};
  }
  linger_ = linger_of(client_.get());
}

KafkaBroker::~KafkaBroker() {
  if (outstanding_ != 0) recall();
  // Topics and queue go before the client, which waits for all that refers to it.
  topics_.clear();
  primed_.clear();
  reports_queue_.reset();
  client_.reset();
}

ports::TopicHandle KafkaBroker::open_topic(std::string_view name) {
  const auto [entry, is_new] = handles_.try_emplace(
      std::string{name}, ports::TopicHandle{static_cast<std::uint32_t>(topics_.size())});
  if (is_new) {
    topics_.emplace_back(
        TopicReference{rd_kafka_topic_new(client_.get(), entry->first.c_str(), nullptr)});
  }
  return entry->second;
}

ports::SubmitResult KafkaBroker::submit(const ports::Submission& record) noexcept {
  SPILLWAY_CHECK(record.topic.value < topics_.size());
  if (fatal_) return ports::SubmitResult::fatal;
  TopicQueues& topic = topics_[record.topic.value];
  if (topic.topic() == nullptr || !core::count_headers(record.headers)) {
    refusal_ = topic.topic() == nullptr ? "_INVALID_ARG: not a topic name"
                                        : "_INVALID_ARG: malformed headers";
    return ports::SubmitResult::refused;
  }

  PartitionQueue& queue = topic.queue_of(record);
  if ((queue.with_client != 0 || has_turn()) && queue.takes_at(polled_at_) &&
      queue.takes_at(PartitionQueue::Clock::now())) {
    const rd_kafka_resp_err_t error = hand_over(queue, record);
    const ports::SubmitResult result = submit_result_of(error);
    if (result == ports::SubmitResult::refused) refusal_ = describe(error);
    if (result == ports::SubmitResult::accepted) ++outstanding_;
    return result;
  }
  topic.push(queue, record);
  ++outstanding_;
  if (queue.is_due()) {
    await_turn(queue);
    hand_over_due();
  } else if (leaves_some_behind(queue)) {
    hand_over_waiting(queue);
  }
  return ports::SubmitResult::accepted;
}

// The macros of librdkafka would add nothing but casts. Without a flag to copy or to free, the
// payload is only read.
rd_kafka_resp_err_t KafkaBroker::hand_over(PartitionQueue& queue,
                                           const ports::Submission& record) noexcept {
  Sent* const sent = keep(record, queue);
  MessageHeaders headers = make_headers(record, positions_);
  if (queue.with_client == 0) queue.batch_open_until = PartitionQueue::Clock::now() + linger_;
  const rd_kafka_resp_err_t error = rd_kafka_producev(
      client_.get(),                                                              //
      RD_KAFKA_VTYPE_RKT, queue.topic.topic(),                                    //
      RD_KAFKA_VTYPE_KEY, address_of(record.key), size_of(record.key),            //
      RD_KAFKA_VTYPE_VALUE, address_of(record.payload), size_of(record.payload),  //
      RD_KAFKA_VTYPE_TIMESTAMP, record.event_time_ms.value_or(polled_at_ms_),     //
      RD_KAFKA_VTYPE_HEADERS, headers.get(), RD_KAFKA_VTYPE_OPAQUE, sent,         //
      RD_KAFKA_VTYPE_END);
  switch (submit_result_of(error)) {
    case ports::SubmitResult::accepted:
      (void)headers.release();  // the message's now
      if (queue.with_client++ == 0) {
        ++batches_;
        batches_due_.push_back(queue.batch_open_until);
      }
      return error;
    case ports::SubmitResult::fatal:
      fatal_ = true;
      break;
    case ports::SubmitResult::busy:
    case ports::SubmitResult::refused:
      break;
  }
  free_sent_.push_back(sent);
  return error;
}

bool KafkaBroker::leaves_some_behind(const PartitionQueue& queue) const noexcept {
  return !in_batches_ && queue.passes_at(polled_at_);
}

// Stops where the batch has gone, or the client is full or dead.
void KafkaBroker::hand_over_waiting(PartitionQueue& queue) noexcept {
  const bool passes = leaves_some_behind(queue);
  while (!queue.waiting.empty() && (passes || queue.is_open_at(PartitionQueue::Clock::now()))) {
    const rd_kafka_resp_err_t error = hand_over(queue, queue.waiting.front());
    switch (submit_result_of(error)) {
      case ports::SubmitResult::accepted:
        queue.topic.pop(queue);
        break;
      case ports::SubmitResult::refused:
        report_unsent(queue, ports::DeliveryOutcome::refused, error);
        break;
      case ports::SubmitResult::busy:
      case ports::SubmitResult::fatal:
        return;
    }
  }
}

// Of a record that librdkafka never had.
void KafkaBroker::report_unsent(PartitionQueue& queue, ports::DeliveryOutcome outcome,
                                rd_kafka_resp_err_t error) noexcept {
  if (own_reports_.empty()) wake_poller();
  own_reports_.push_back({.tag = queue.waiting.front().tag,
                          .outcome = outcome,
                          .error_code = error,
                          .error = describe(error)});
  queue.topic.pop(queue);
}

std::size_t KafkaBroker::poll(std::span<ports::Report> reports) noexcept {
  if (reports.empty()) return 0;
  free_reports_ = reports;
  tell_own_reports();
  if (!free_reports_.empty()) rd_kafka_poll(client_.get(), 0);
  polled_at_ = PartitionQueue::Clock::now();
  polled_at_ms_ = unix_ms_now();
  hand_over_due();
  tell_own_reports();
  send_due_batches();
  const std::size_t filled = reports.size() - free_reports_.size();
  free_reports_ = {};
  note_reconnect();
  return filled;
}

// Batches that linger grow inside librdkafka. So do a relay's, and there a partition without a
// leader would keep its turn from the others; a lane trips.
bool KafkaBroker::has_turn() const noexcept {
  if (in_batches_ || linger_ >= std::chrono::milliseconds{1}) return true;
  const int brokers = std::max(1, members_up_.load(std::memory_order_relaxed));
  return batches_ < batches_for_a_broker * static_cast<std::size_t>(brokers);
}

void KafkaBroker::await_turn(PartitionQueue& queue) {
  if (!std::exchange(queue.awaits_turn, true)) due_.push_back(&queue);
}

void KafkaBroker::hand_over_due() noexcept {
  while (!due_.empty() && has_turn()) {
    hand_over_waiting(*due_.front());
    if (due_.front()->is_due()) return;  // the client is full or dead
    due_.pop_front()->awaits_turn = false;
  }
}

// librdkafka sleeps in whole milliseconds. A flush without patience wakes it: what is due goes now.
// What is not goes too, if librdkafka sees it while the flush waits.
void KafkaBroker::send_due_batches() noexcept {
  if (free_reports_.empty()) return;  // a flush polls, too
  const bool goes_at_once = in_batches_ && outstanding_ <= few;
  bool any = false;
  while (!batches_due_.empty() && (goes_at_once || batches_due_.front() <= polled_at_)) {
    batches_due_.pop_front();
    any = true;
  }
  if (any) (void)rd_kafka_flush(client_.get(), goes_at_once ? 1 : 0);
}

std::vector<std::uint64_t> KafkaBroker::take_back() {
  std::vector<std::uint64_t> tags;
  for (TopicQueues& topic : topics_) {
    for (PartitionQueue& queue : topic.queues()) {
      while (!queue.waiting.empty()) {
        tags.push_back(queue.waiting.front().tag);
        topic.pop(queue);
      }
    }
  }
  outstanding_ -= tags.size();
  return tags;
}

void KafkaBroker::recall() noexcept {
  for (TopicQueues& topic : topics_) {
    for (PartitionQueue& queue : topic.queues()) {
      while (!queue.waiting.empty()) {
        report_unsent(queue, ports::DeliveryOutcome::not_persisted, RD_KAFKA_RESP_ERR__PURGE_QUEUE);
      }
    }
  }
  while (!due_.empty())
    due_.pop_front()->awaits_turn = false;
  batches_due_.clear();
  (void)rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                          RD_KAFKA_PURGE_F_NON_BLOCKING);
}

ports::BrokerHealth KafkaBroker::health() const noexcept {
  const bool up = brokers_up_.load(std::memory_order_relaxed) > 0;
  return {.up = up,
          .warm = warm_.load(std::memory_order_relaxed) && !fatal_,
          .fatal = fatal_,
          .refused = refused_ && !up};
}

void KafkaBroker::notify_on_report(int event_descriptor) {
  event_descriptor_ = event_descriptor;
  reports_queue_.reset(rd_kafka_queue_get_main(client_.get()));
  rd_kafka_queue_io_event_enable(reports_queue_.get(), event_descriptor, &wake_token,
                                 sizeof wake_token);
}

void KafkaBroker::inject_fatal(const char* reason) noexcept {
  (void)rd_kafka_test_fatal_error(client_.get(), RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                                  reason);
}

void KafkaBroker::wake_poller() noexcept {
  if (event_descriptor_ < 0) return;
  // It fails when the counter is full: readable, then.
  [[maybe_unused]] const auto written = ::write(event_descriptor_, &wake_token, sizeof wake_token);
}

KafkaBroker::Sent* KafkaBroker::keep(const ports::Submission& record, PartitionQueue& queue) {
  if (free_sent_.empty()) free_sent_.push_back(&sent_.emplace_back());
  Sent* const sent = free_sent_.back();
  free_sent_.pop_back();
  *sent = {.tag = record.tag,
           .seq = record.provenance.seq,
           .queue = &queue,
           .partitions = queue.topic.partitions()};
  return sent;
}

void KafkaBroker::tell(const ports::Report& report) noexcept {
  SPILLWAY_CHECK(!free_reports_.empty());
  SPILLWAY_CHECK(outstanding_ != 0);
  free_reports_.front() = report;
  free_reports_ = free_reports_.subspan(1);
  --outstanding_;
}

void KafkaBroker::tell_own_reports() noexcept {
  while (!own_reports_.empty() && !free_reports_.empty())
    tell(own_reports_.pop_front());
}

void KafkaBroker::on_report(const rd_kafka_message_t& message) noexcept {
  Sent* const sent = static_cast<Sent*>(message._private);
  PartitionQueue& queue = *sent->queue;
  ports::Report report{.tag = sent->tag,
                       .outcome = outcome_of(message.err, rd_kafka_message_status(&message)),
                       .error_code = 0,
                       .error = "",
                       .partition = message.partition};
  if (report.outcome == ports::DeliveryOutcome::delivered) {
    warm_.store(true, std::memory_order_relaxed);
  } else {
    report.error_code = message.err;
    report.error = describe(message.err);
  }
  tell(report);
  free_sent_.push_back(sent);
  if (--queue.with_client == 0) {
    --batches_;
    queue.on_answered(PartitionQueue::Clock::now());
  }
  if (queue.is_due()) await_turn(queue);
  // Leaves the rest, of this batch too, in the queue.
  if (free_reports_.empty()) rd_kafka_yield(client_.get());
}

void KafkaBroker::on_error(rd_kafka_resp_err_t error, std::string_view text) {
  if (error == RD_KAFKA_RESP_ERR__FATAL) {
    on_fatal_error();
    return;
  }
  if (is_refused_connection(error)) refused_ = true;
  // "host:port/id: what happened (after so many ms in state ...)": the same once for each server.
  const std::string_view server = text.substr(0, text.find(": "));
  if (!told_.insert(std::to_string(error).append(server)).second) return;
  log_.write(LogLevel::warning, "Kafka: " + std::string{text} + "; " + hint_for(error));
}

void KafkaBroker::on_fatal_error() {
  fatal_ = true;
  std::array<char, 512> text{};
  const rd_kafka_resp_err_t error = rd_kafka_fatal_error(client_.get(), text.data(), text.size());
  log_.write(LogLevel::error, "Kafka at " + servers_ + ": a producer ended with a fatal error, " +
                                  describe(error) + " (" + text.data() +
                                  "); what it had is taken back, and another one takes its place");
}

void KafkaBroker::on_statistics(std::string_view json) noexcept {
  warm_.store(has_producer_id(json), std::memory_order_relaxed);
}

void KafkaBroker::note_reconnect() {
  const unsigned times_up = times_up_.load(std::memory_order_relaxed);
  if (times_up == times_up_seen_) return;
  refused_ = false;
  if (!told_.empty()) {
    // A connection that comes and goes many times a second is told of once in a while.
    const auto now = std::chrono::steady_clock::now();
    if (now - told_up_at_ < tell_again_after) return;
    told_up_at_ = now;
    told_.clear();
    log_.write(LogLevel::info, "Kafka at " + servers_ + " answers");
  }
  times_up_seen_ = times_up;
}

}  // namespace spillway::kafka
