#include "support/sim/sim_kafka.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"

namespace spillway::sim {
namespace {

// The broker's own numbers and names.
constexpr Answer unknown_topic{AnswerKind::refused, 3, "UNKNOWN_TOPIC_OR_PART"};
constexpr Answer too_large{AnswerKind::refused_batch, 10, "MSG_SIZE_TOO_LARGE"};
constexpr Answer not_authorized{AnswerKind::refused, 29, "TOPIC_AUTHORIZATION_FAILED"};
constexpr Answer invalid_record{AnswerKind::refused_batch, 87, "INVALID_RECORD"};
constexpr Answer no_leader{AnswerKind::no_leader, 6, "NOT_LEADER_OR_FOLLOWER"};
constexpr Answer out_of_order{AnswerKind::out_of_order, 45, "OUT_OF_ORDER_SEQUENCE_NUMBER"};

constexpr std::size_t record_overhead_bytes = 70;

std::size_t bytes_in(const std::optional<ByteString>& bytes) noexcept {
  return bytes ? bytes->size() : 0;
}

}  // namespace

bool is_poison(const std::optional<ByteString>& payload, const FaultPlan& plan) noexcept {
  if (plan.kafka.poison_record.ppm == 0) return false;
  std::uint64_t hash = bytes_in(payload);
  for (const std::byte byte : payload.value_or(ByteString{})) {
    hash = hash * 0x100000001B3U + std::to_integer<std::uint64_t>(byte);
  }
  return mix(plan.seed, Choice::poison, {}, hash) % always.ppm < plan.kafka.poison_record.ppm;
}

std::size_t LogRecord::bytes() const noexcept {
  std::size_t sum = record_overhead_bytes + bytes_in(key) + bytes_in(payload);
  for (const LogHeader& header : headers)
    sum += header.name.size() + bytes_in(header.value);
  return sum;
}

SimKafka::SimKafka(const FaultPlan& plan, Trace& trace) : plan_{plan}, trace_{trace} {}

void SimKafka::create_topic(const std::string& name, const TopicSettings& settings) {
  SPILLWAY_CHECK(settings.partitions > 0);
  topics_[name] = SimTopic{.settings = settings,
                           .partitions = std::vector<std::vector<LogRecord>>(settings.partitions),
                           .leaders = std::vector<LeaderState>(settings.partitions)};
}

void SimKafka::delete_topic(const std::string& name) {
  topics_.erase(name);
}

void SimKafka::change_topic(const std::string& name, const TopicSettings& settings) {
  SimTopic& changed = topics_.at(name);
  SPILLWAY_CHECK(settings.partitions >= changed.settings.partitions);
  changed.settings = settings;
  changed.partitions.resize(settings.partitions);
  changed.leaders.resize(settings.partitions);
}

void SimKafka::set_leader(const std::string& topic, std::uint32_t partition, LeaderState state) {
  topics_.at(topic).leaders.at(partition) = state;
}

LeaderState SimKafka::leader_of(const ProduceRequest& request) const noexcept {
  const SimTopic* const to = topic(request.topic);
  if (to == nullptr || request.partition >= to->leaders.size()) return LeaderState::leads;
  return to->leaders[request.partition];
}

const SimTopic* SimKafka::topic(std::string_view name) const noexcept {
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : &found->second;
}

void SimKafka::set_state(ServerState state, Instant now) {
  if (state == state_) return;
  state_ = state;
  state_since_ = now;
  trace_.note({now, EventKind::server_state, {}, {static_cast<std::uint64_t>(state)}, {0}});
  // A killed broker appends nothing of what was on its way, but for what the network still delays.
  if (state == ServerState::down) {
    ++incarnation_;
    std::erase_if(network_, [](const auto& entry) {
      return !entry.second.answer && !entry.second.is_abandoned;
    });
  }
}

RequestId SimKafka::send(ProduceRequest request, Instant due) {
  const RequestId id{++last_request_};
  network_.emplace(id.value, InNetwork{std::move(request), due});
  return id;
}

std::optional<Answer> SimKafka::take_answer(RequestId id) {
  const auto found = network_.find(id.value);
  if (found == network_.end() || !found->second.answer) return std::nullopt;
  const std::optional<Answer> answer = found->second.answer;
  network_.erase(found);
  return answer;
}

void SimKafka::abandon(RequestId id, Decisions& decisions, Instant now) {
  const auto found = network_.find(id.value);
  if (found == network_.end()) return;
  InNetwork& entry = found->second;
  const std::uint64_t fate = decisions.below(Choice::fate, always.ppm);
  const Duration delay = decisions.within(Choice::late_by, plan_.kafka.late_by);
  const bool is_before = fate < plan_.kafka.fate_before.ppm && state_ == ServerState::up &&
                         leader_of(entry.request) != LeaderState::stuck;
  const bool is_later = fate < plan_.kafka.fate_before.ppm + plan_.kafka.fate_later.ppm;
  if (!entry.answer && is_before) {
    static_cast<void>(arrive(entry.request, now));
  }
  // A hung broker has them in its socket and appends all of them when it goes on.
  if (!entry.answer && !is_before && (is_later || state_ == ServerState::hung)) {
    entry.is_abandoned = true;
    entry.due = std::max(entry.due, now) + delay;
    return;
  }
  network_.erase(found);
}

void SimKafka::advance(Instant now) {
  if (state_ != ServerState::up) return;
  // By time of arrival, then in the order of sending.
  std::vector<std::pair<Instant, std::uint64_t>> arrived;
  for (const auto& [id, entry] : network_) {
    if (entry.answer || entry.due > now) continue;
    if (leader_of(entry.request) != LeaderState::stuck) arrived.emplace_back(entry.due, id);
  }
  std::ranges::sort(arrived);
  for (const auto& [due, id] : arrived) {
    InNetwork& entry = network_.at(id);
    entry.answer = arrive(entry.request, now);
    if (entry.is_abandoned) network_.erase(id);
  }
}

std::optional<Instant> SimKafka::next_event() const noexcept {
  std::optional<Instant> next;
  if (state_ != ServerState::up) return next;
  for (const auto& [id, entry] : network_) {
    if (entry.answer || (next && *next <= entry.due)) continue;
    if (leader_of(entry.request) != LeaderState::stuck) next = entry.due;
  }
  return next;
}

std::optional<Answer> SimKafka::refusal_of(const ProduceRequest& request) const noexcept {
  const SimTopic* const to = topic(request.topic);
  if (to == nullptr || request.partition >= to->partitions.size()) return unknown_topic;
  if (!to->settings.writable) return not_authorized;
  std::size_t bytes = 0;
  for (const LogRecord& record : request.records)
    bytes += record.bytes();
  // The limit is checked against the batch (client-facts.md 1.6).
  if (bytes > to->settings.message_bytes_max) return too_large;
  for (const LogRecord& record : request.records) {
    if (is_poison(record.payload, plan_)) return invalid_record;
  }
  return std::nullopt;
}

Answer SimKafka::arrive(ProduceRequest& request, Instant now) {
  if (leader_of(request) == LeaderState::missing) {
    trace_.count(Happening::answered_no_leader);
    return no_leader;
  }
  Sequences& known = sequences_[{request.producer.value, request.topic, request.partition}];
  if (request.first_sequence > known.next) return out_of_order;
  if (request.first_sequence < known.next) {  // sent again
    const auto refused = known.refused.find(request.first_sequence);
    return refused == known.refused.end() ? Answer{} : refused->second;
  }
  // A client goes on under a new epoch after a refusal; here the numbers are simply used up.
  known.next += request.records.size();
  if (const std::optional<Answer> refusal = refusal_of(request)) {
    known.refused[request.first_sequence] = *refusal;
    note_refusal(request, now);
    return *refusal;
  }
  SimTopic& to = topics_.find(request.topic)->second;
  for (LogRecord& record : request.records) {
    record.appended_at = now;
    trace_.note({now, EventKind::appended, record.stream, record.seq, record.seq});
    to.partitions[request.partition].push_back(std::move(record));
  }
  return {};
}

void SimKafka::note_refusal(const ProduceRequest& request, Instant now) {
  if (request.records.size() == 1) return trace_.count(Happening::one_refused);
  trace_.count(Happening::batch_refused);
  for (const LogRecord& record : request.records)
    trace_.note({now, EventKind::refused, record.stream, record.seq, record.seq});
}

std::vector<LogRecord> SimKafka::records(std::string_view topic_name) const {
  std::vector<LogRecord> all;
  if (const SimTopic* const from = topic(topic_name)) {
    for (const auto& partition : from->partitions) {
      all.insert(all.end(), partition.begin(), partition.end());
    }
  }
  return all;
}

std::size_t SimKafka::record_count(std::string_view topic_name) const noexcept {
  std::size_t count = 0;
  if (const SimTopic* const from = topic(topic_name)) {
    for (const auto& partition : from->partitions)
      count += partition.size();
  }
  return count;
}

}  // namespace spillway::sim
