#include "support/sim/sim_broker.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "core/check.hpp"
#include "core/header_block.hpp"
#include "core/position.hpp"
#include "core/routing.hpp"

namespace spillway::sim {
namespace {

using ports::DeliveryOutcome;
using ports::SubmitResult;

constexpr Duration retry_backoff = std::chrono::milliseconds{20};
constexpr Answer purged{AnswerKind::refused, -152, "_PURGE_QUEUE"};
constexpr Answer purged_in_flight{AnswerKind::refused, -151, "_PURGE_INFLIGHT"};
constexpr Answer unknown_topic{AnswerKind::refused, 3, "UNKNOWN_TOPIC_OR_PART"};

ByteString own(ports::Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

ByteString own(std::string_view text) {
  return own(bytes_of(text));
}

std::string decimal(std::int64_t value) {
  return std::to_string(value);
}

std::vector<LogHeader> render_headers(ports::Bytes block, const ports::Provenance& provenance) {
  std::vector<LogHeader> headers;
  core::HeaderReader reader{block};
  while (const auto header = reader.next()) {
    headers.push_back({std::string{header->name},
                       header->value ? std::optional{own(*header->value)} : std::nullopt});
  }
  SPILLWAY_CHECK(reader.is_well_formed());
  core::PositionText text;
  headers.push_back({std::string{core::header_position},
                     own(core::format_position(provenance.stream, provenance.seq, text))});
  if (provenance.resend != core::ResendCause::none) {
    headers.push_back({std::string{core::header_resend}, own(core::name_of(provenance.resend))});
  }
  if (provenance.renumbered_from.value != 0) {
    headers.push_back({std::string{core::header_renumbered},
                       own(std::to_string(provenance.renumbered_from.value))});
  }
  if (provenance.relayed_accepted_at) {
    headers.push_back(
        {std::string{core::header_accepted_at}, own(decimal(provenance.relayed_accepted_at->ns))});
    headers.push_back({std::string{core::header_relayed}, own("1")});
  }
  return headers;
}

std::uint64_t hash_of(const ByteString& key) noexcept {
  std::uint64_t hash = 0xCBF29CE484222325U;  // FNV-1a
  for (const std::byte byte : key) {
    hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001B3U;
  }
  return hash ^ (hash >> 32U);
}

}  // namespace

std::size_t SimBroker::Pipe::sent() const noexcept {
  return std::accumulate(batches.begin(), batches.end(), std::size_t{0},
                         [](std::size_t sum, const Batch& batch) { return sum + batch.records; });
}

SimBroker::SimBroker(World& world, const SimBrokerSettings& settings)
    : world_{world},
      settings_{settings},
      decisions_{world.plan(), settings.actor},
      id_{world.kafka().new_producer()},
      connect_at_{world.now() +
                  decisions_.within(Choice::reconnect, world.plan().kafka.reconnect)} {
  world_.attach(*this);
}

SimBroker::~SimBroker() {
  lose_connection(world_.now());
  world_.detach(*this);
}

ports::TopicHandle SimBroker::open_topic(std::string_view name) {
  const auto found = std::ranges::find(topics_, name, &TopicEntry::name);
  const auto index = static_cast<std::uint32_t>(found - topics_.begin());
  if (found == topics_.end()) {
    topics_.push_back({});
    topics_.back().name = name;
  }
  return ports::TopicHandle{index};
}

SubmitResult SimBroker::submit(const ports::Submission& record) noexcept {
  if (fatal_ || recalled_) return SubmitResult::fatal;
  TopicEntry& topic = topics_.at(record.topic.value);
  if (outstanding_ >= settings_.queue_records_max ||
      decisions_.happens(Choice::busy, world_.plan().kafka.busy)) {
    return SubmitResult::busy;
  }
  if (topic.is_unknown) {
    if (!can_send() || world_.kafka().topic(topic.name) == nullptr) {
      refusal_ = unknown_topic.error;
      return SubmitResult::refused;
    }
    topic.is_unknown = false;  // created meanwhile
  }
  Pending pending{.tag = record.tag,
                  .key = record.key ? own(*record.key) : ByteString{},
                  .has_key = record.key.has_value(),
                  .payload = record.payload,
                  .headers = render_headers(record.headers, record.provenance),
                  .event_time_ms = record.event_time_ms,
                  .provenance = record.provenance};
  pending.bytes = render(pending).bytes();
  const bool is_known = topic.partitions != 0;
  if (pending.bytes > std::max(settings_.batch_bytes_max, settings_.message_bytes_max) ||
      (is_known && pending.bytes > topic.message_bytes_max)) {
    refusal_ = "MSG_SIZE_TOO_LARGE";
    return SubmitResult::refused;
  }
  ++outstanding_;
  if (is_known) {
    assign(topic, std::move(pending));
  } else {
    topic.unassigned.push_back(std::move(pending));
  }
  return SubmitResult::accepted;
}

std::size_t SimBroker::poll(std::span<ports::Report> reports) noexcept {
  std::size_t count = 0;
  for (; count < reports.size() && !reports_.empty(); ++count) {
    if (decisions_.happens(Choice::report_order, world_.plan().kafka.reports_shuffled)) {
      std::swap(reports_.front(),
                reports_.at(decisions_.below(Choice::report_order, reports_.size())));
    }
    reports[count] = reports_.front();
    reports_.pop_front();
    --outstanding_;
  }
  return count;
}

std::vector<std::uint64_t> SimBroker::take_back() {
  std::vector<std::uint64_t> tags;
  for (TopicEntry& topic : topics_) {
    for (auto& [partition, pipe] : topic.pipes)
      take_back_from(pipe.records, pipe.sent(), tags);
    take_back_from(topic.unassigned, 0, tags);
  }
  outstanding_ -= tags.size();
  if (!tags.empty()) world_.trace().count(Happening::taken_back);
  return tags;
}

// What was kept back stands behind what the client has. Here it may be all that was never sent: a
// real adapter keeps the first of a partition, and a lane has to bear more than that.
void SimBroker::take_back_from(std::deque<Pending>& records, std::size_t sent,
                               std::vector<std::uint64_t>& tags) {
  if (records.size() <= sent) return;
  if (!decisions_.happens(Choice::kept_back, world_.plan().kafka.kept_back)) return;
  const std::size_t stay = sent + decisions_.below(Choice::kept_back, records.size() - sent);
  for (; records.size() > stay; records.pop_back())
    tags.push_back(records.back().tag);
}

void SimBroker::recall() noexcept {
  recalled_ = true;
  const std::size_t reported_before = reports_.size();
  lose_connection(world_.now());
  purge_queued();
  for (TopicEntry& topic : topics_) {
    for (auto& [partition, pipe] : topic.pipes) {
      pipe.batches.clear();
      report_from(pipe.records, 0, DeliveryOutcome::possibly_persisted, purged_in_flight);
    }
  }
  count_recall(reported_before);
  // Now and then the newest come first, or in no order at all (client-facts.md 1.4).
  const auto first = reports_.begin() + static_cast<std::ptrdiff_t>(reported_before);
  const std::uint64_t manner = decisions_.below(Choice::report_order, 4);
  if (manner < 2 && reports_.size() - reported_before > 1) {
    world_.trace().count(Happening::recall_out_of_order);
  }
  if (manner == 0) std::reverse(first, reports_.end());
  if (manner == 1) {
    for (std::size_t i = reports_.size(); i > reported_before + 1; --i) {
      const std::size_t other = decisions_.below(Choice::report_order, i - reported_before);
      std::swap(reports_[i - 1], reports_[reported_before + other]);
    }
  }
}

void SimBroker::count_recall(std::size_t reported_before) noexcept {
  const std::size_t count = reports_.size() - reported_before;
  Trace& trace = world_.trace();
  trace.count(count == 0   ? Happening::recall_of_none
              : count == 1 ? Happening::recall_of_one
                           : Happening::recall_of_many);
  const auto persisted =
      std::count_if(reports_.begin() + static_cast<std::ptrdiff_t>(reported_before), reports_.end(),
                    [](const ports::Report& report) {
                      return report.outcome == DeliveryOutcome::possibly_persisted;
                    });
  if (persisted != 0 && static_cast<std::size_t>(persisted) != count) {
    trace.count(Happening::recall_mixed);
  }
}

ports::BrokerHealth SimBroker::health() const noexcept {
  return {.up = connected_ && world_.kafka().state() != ServerState::down,
          .warm = warm_ && !fatal_,
          .fatal = fatal_,
          .refused = world_.kafka().refuses_connections() && !connected_};
}

void SimBroker::turn_fatal() noexcept {
  if (fatal_) return;
  fatal_ = true;
  // The client purges its queue by itself, sooner or later; what is in flight it leaves alone.
  if (decisions_.happens(Choice::fatal_purge, Rate{500'000})) purge_queued();
}

void SimBroker::advance(Instant now) {
  keep_connection(now);
  keep_producer_id(now);
  for (TopicEntry& topic : topics_) {
    if (can_send()) resolve(topic);
    for (auto& [partition, pipe] : topic.pipes) {
      receive(pipe, now);
      send_due(topic, partition, pipe, now);
    }
  }
}

std::optional<Instant> SimBroker::next_event() const {
  std::optional<Instant> next;
  const auto consider = [&next](Instant at) {
    if (!next || at < *next) next = at;
  };
  const SimKafka& kafka = world_.kafka();
  const bool is_up = kafka.state() == ServerState::up;
  if (is_up && !connected_ && !kafka.refuses_connections() && !recalled_) consider(connect_at_);
  if (is_up && producer_id_at_) consider(*producer_id_at_);
  if (connected_ && kafka.state() == ServerState::hung) {
    consider(kafka.state_since() + world_.plan().kafka.socket_timeout);
  }
  for (const TopicEntry& topic : topics_) {
    if (can_send() && !topic.unassigned.empty()) consider(world_.now());
    for (const auto& [partition, pipe] : topic.pipes) {
      if (!pipe.batches.empty() && pipe.batches.front().answer) {
        consider(pipe.batches.front().answer_at);
      }
      const bool has_more = pipe.batches.size() < settings_.requests_in_flight_max &&
                            pipe.records.size() > pipe.sent();
      const bool has_again = std::ranges::any_of(
          pipe.batches, [](const Batch& batch) { return !batch.request.has_value(); });
      if (can_send() && (has_more || has_again)) consider(std::max(pipe.retry_at, world_.now()));
    }
  }
  return next;
}

void SimBroker::keep_connection(Instant now) {
  const SimKafka& kafka = world_.kafka();
  const bool is_other = incarnation_ != kafka.incarnation();
  const bool is_silent = kafka.state() == ServerState::hung &&
                         now - kafka.state_since() >= world_.plan().kafka.socket_timeout;
  if (connected_ && (kafka.state() == ServerState::down || is_other || is_silent)) {
    lose_connection(now);
  }
  if (connected_ || recalled_ || now < connect_at_) return;
  if (kafka.state() != ServerState::up || kafka.refuses_connections()) return;
  connected_ = true;
  incarnation_ = kafka.incarnation();
}

void SimBroker::keep_producer_id(Instant now) {
  if (warm_ || !connected_ || world_.kafka().state() != ServerState::up) return;
  if (!producer_id_at_) {
    producer_id_at_ = now + decisions_.within(Choice::producer_id, world_.plan().kafka.producer_id);
  }
  if (now < *producer_id_at_) return;
  producer_id_at_.reset();
  warm_ = true;
}

void SimBroker::lose_connection(Instant now) noexcept {
  for (TopicEntry& topic : topics_) {
    for (auto& [partition, pipe] : topic.pipes) {
      for (Batch& batch : pipe.batches) {
        if (batch.request && !batch.answer) {
          world_.kafka().abandon(*batch.request, decisions_, now);
        }
        batch.request.reset();
        batch.answer.reset();
      }
    }
  }
  connected_ = false;
  producer_id_at_.reset();
  connect_at_ = now + decisions_.within(Choice::reconnect, world_.plan().kafka.reconnect);
}

bool SimBroker::can_send() const noexcept {
  return connected_ && warm_ && !fatal_ && !recalled_ && world_.kafka().state() == ServerState::up;
}

void SimBroker::resolve(TopicEntry& topic) {
  if (topic.unassigned.empty()) return;
  const SimTopic* const known = world_.kafka().topic(topic.name);
  if (known == nullptr) {
    topic.is_unknown = true;
    topic.partitions = 0;
    report_from(topic.unassigned, 0, DeliveryOutcome::refused, unknown_topic);
    return;
  }
  topic.partitions = static_cast<std::uint32_t>(known->partitions.size());
  topic.message_bytes_max = known->settings.message_bytes_max;
  for (; !topic.unassigned.empty(); topic.unassigned.pop_front()) {
    assign(topic, std::move(topic.unassigned.front()));
  }
}

void SimBroker::assign(TopicEntry& topic, Pending record) {
  const std::uint64_t spread =
      record.has_key ? hash_of(record.key)
                     : core::partition_without_key(record.provenance.seq, topic.partitions);
  const auto partition = static_cast<std::uint32_t>(spread % topic.partitions);
  record.partition = static_cast<std::int32_t>(partition);
  topic.pipes[partition].records.push_back(std::move(record));
}

SimBroker::Batch SimBroker::cut_batch(const Pipe& pipe, std::size_t first) {
  const std::size_t records_max =
      1 + decisions_.below(Choice::batch_records, settings_.batch_records_max);
  Batch batch;
  std::size_t bytes = 0;
  for (std::size_t i = first; i < pipe.records.size() && batch.records < records_max; ++i) {
    bytes += pipe.records[i].bytes;
    if (batch.records != 0 && bytes > settings_.batch_bytes_max) break;
    ++batch.records;
  }
  return batch;
}

void SimBroker::send_due(const TopicEntry& topic, std::uint32_t partition, Pipe& pipe,
                         Instant now) {
  if (now < pipe.retry_at) return;
  std::size_t first = 0;
  for (Batch& batch : pipe.batches) {
    if (can_send() && !batch.request) send(topic, partition, pipe, first, batch, now);
    first += batch.records;
  }
  while (can_send() && pipe.batches.size() < settings_.requests_in_flight_max &&
         first < pipe.records.size()) {
    pipe.batches.push_back(cut_batch(pipe, first));
    send(topic, partition, pipe, first, pipe.batches.back(), now);
    first += pipe.batches.back().records;
  }
}

void SimBroker::send(const TopicEntry& topic, std::uint32_t partition, Pipe& pipe,
                     std::size_t first, Batch& batch, Instant now) {
  ProduceRequest request{.producer = id_,
                         .topic = topic.name,
                         .partition = partition,
                         .first_sequence = pipe.first_sequence + first,
                         .records = {}};
  for (std::size_t i = first; i < first + batch.records; ++i) {
    request.records.push_back(render(pipe.records[i]));
  }
  const KafkaFaults& faults = world_.plan().kafka;
  // Those of one connection arrive in the order in which they were sent.
  Instant due = now + decisions_.within(Choice::request_latency, faults.request_latency);
  due = std::max(due, pipe.last_due);
  pipe.last_due = due;
  batch.request = world_.kafka().send(std::move(request), due);
  if (decisions_.happens(Choice::request_lost, faults.request_lost)) lose_connection(now);
}

void SimBroker::receive(Pipe& pipe, Instant now) {
  const KafkaFaults& faults = world_.plan().kafka;
  for (Batch& batch : pipe.batches) {
    if (!batch.request || batch.answer) continue;
    batch.answer = world_.kafka().take_answer(*batch.request);
    if (!batch.answer) break;
    batch.answer_at = now + decisions_.within(Choice::answer_latency, faults.answer_latency);
    if (decisions_.happens(Choice::answer_lost, faults.answer_lost)) {
      lose_connection(now);
      return;
    }
  }
  while (!pipe.batches.empty() && pipe.batches.front().answer &&
         pipe.batches.front().answer_at <= now) {
    const Batch batch = pipe.batches.front();
    if (batch.answer->kind == AnswerKind::no_leader ||
        batch.answer->kind == AnswerKind::out_of_order) {
      send_again(pipe, now);
      return;
    }
    pipe.batches.pop_front();
    finish(pipe, batch);
  }
}

// Behind a batch that was not appended its successors are out of order: the broker refuses them
// too.
void SimBroker::send_again(Pipe& pipe, Instant now) {
  for (Batch& batch : pipe.batches) {
    if (batch.request && !batch.answer) world_.kafka().abandon(*batch.request, decisions_, now);
    batch.request.reset();
    batch.answer.reset();
  }
  pipe.retry_at = now + retry_backoff;
}

void SimBroker::finish(Pipe& pipe, const Batch& batch) {
  pipe.first_sequence += batch.records;
  std::deque<Pending> done;
  for (std::size_t i = 0; i < batch.records; ++i) {
    done.push_back(std::move(pipe.records.front()));
    pipe.records.pop_front();
  }
  switch (batch.answer->kind) {
    case AnswerKind::appended:
      report_from(done, 0, DeliveryOutcome::delivered, *batch.answer);
      break;
    case AnswerKind::refused:
      report_from(done, 0, DeliveryOutcome::refused, *batch.answer);
      break;
    case AnswerKind::refused_batch:
      report_from(done, 0, DeliveryOutcome::batch_refused, *batch.answer);
      break;
    case AnswerKind::out_of_order:
    case AnswerKind::no_leader:
      core::die("send_again() has taken it");
  }
  if (decisions_.happens(Choice::fatal, world_.plan().kafka.fatal)) turn_fatal();
}

void SimBroker::report_from(std::deque<Pending>& records, std::size_t first,
                            DeliveryOutcome outcome, const Answer& why) {
  for (std::size_t i = first; i < records.size(); ++i) {
    reports_.push_back({records[i].tag, outcome, why.error_code, why.error, records[i].partition});
  }
  records.resize(std::min(first, records.size()));
}

void SimBroker::purge_queued() noexcept {
  for (TopicEntry& topic : topics_) {
    for (auto& [partition, pipe] : topic.pipes) {
      report_from(pipe.records, pipe.sent(), DeliveryOutcome::not_persisted, purged);
    }
    report_from(topic.unassigned, 0, DeliveryOutcome::not_persisted, purged);
  }
}

LogRecord SimBroker::render(const Pending& record) {
  LogRecord rendered;
  if (record.has_key) rendered.key = record.key;
  if (record.payload) rendered.payload = own(*record.payload);
  rendered.headers = record.headers;
  rendered.event_time_ms = record.event_time_ms;
  rendered.stream = record.provenance.stream;
  rendered.seq = record.provenance.seq;
  rendered.resend = record.provenance.resend;
  rendered.renumbered_from = record.provenance.renumbered_from;
  rendered.relayed = record.provenance.relayed_accepted_at.has_value();
  return rendered;
}

}  // namespace spillway::sim
