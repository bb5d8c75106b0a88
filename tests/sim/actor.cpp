#include "sim/actor.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "journal/segment.hpp"

namespace spillway::sim {
namespace {

constexpr std::uint32_t instance_actors = 1'000'000;
constexpr std::uint32_t relay_actors = 500'000;
constexpr std::uint32_t actors_of_a_life = 1'000;
constexpr std::uint64_t senders_of_a_life = 1'000;

Situation situation_of(LaneState from, LaneState to) noexcept {
  using enum LaneState;
  using enum Situation;
  if (from == direct) return to == spilling ? direct_to_spilling : direct_to_recalling;
  if (from == recalling) return recalling_to_spilling;
  if (from == returning) return to == direct ? returning_to_direct : returning_to_spilling;
  if (to == direct) return spilling_to_direct;
  return to == returning ? spilling_to_returning : spilling_to_recalling;
}

std::optional<LaneState> state_named(std::string_view name) noexcept {
  constexpr std::array states{LaneState::direct, LaneState::spilling, LaneState::returning,
                              LaneState::recalling};
  for (const LaneState state : states)
    if (name_of(state) == name) return state;
  return std::nullopt;
}

}  // namespace

std::uint64_t Stage::read_clock() {
  const auto now = static_cast<std::uint64_t>(world.now().time_since_epoch().count());
  return clock_ns = std::max(now, clock_ns + 1);
}

// ---- An instance ----

InstanceActor::InstanceActor(Stage& stage, std::uint32_t number, JournalDisk& disk)
    : stage_{stage},
      number_{number},
      disk_{disk},
      lanes_wanted_{stage.plan.instances[number].lanes} {
  disk_.format(id(), stage.plan.loops.segment_bytes);
  start(0);
}

InstanceActor::~InstanceActor() = default;

void InstanceActor::start(std::uint32_t recovery_calls) {
  const LoopsPlan& loops = stage_.plan.loops;
  ServiceSettings settings;
  settings.journal_memory = disk_.memory();
  settings.lanes = lanes_wanted_;
  settings.lane.limits = {.failover_after = loops.failover_after,
                          .failover_after_relaxed = 4 * loops.failover_after,
                          .backlog_rows_max = loops.backlog_rows,
                          .high_water_percent = loops.high_water_percent,
                          .return_within = loops.return_within};
  settings.lane.window.records_max = loops.window_records;
  settings.lane.credit.rows_max = loops.credit_rows;
  settings.lane.relaxed_for = loops.relaxed_for;
  settings.writer.batch_rows_max = loops.writer_batch_rows;
  settings.writer.seed = stage_.plan.seed + number_;
  settings.broker.batch_records_max = loops.broker_batch_records;
  settings.broker.requests_in_flight_max = loops.requests_in_flight;
  settings.first_actor = {(number_ + 1) * instance_actors + lives_ * actors_of_a_life};
  settings.publishers = stage_.plan.instances[number_].publishers;
  settings.segment_bytes_used = loops.segment_bytes;
  settings.watch = this;
  const std::uint32_t lanes_before = disk_.header().lanes;
  service_ = std::make_unique<SimService>(stage_.world, settings);
  ++lives_;
  has_held_rows_ = {};
  if (stage_.judge.was_adopted(id())) stage_.sometimes.count(Situation::owner_back_after_adoption);
  log_read_ = 0;
  calls_.assign(settings.publishers, std::nullopt);
  if (lanes_before != 0 && lanes_before != service_->lanes()) {
    stage_.sometimes.count(Situation::lanes_changed);
  }
  if (service_->journal().is_relaning()) {
    stage_.sometimes.count(Situation::lanes_waited_for_old_streams);
  }
  if (service_->recovered().torn != 0) {
    stage_.sometimes.count(Situation::half_written_record_discarded);
  }
  if (recovery_calls == 0) return;
  stage_.sometimes.count(Situation::crash_in_recovery);
  service_->life().end_in(PortCall::none, recovery_calls, false, [this] { disk_.save(); });
}

LaneState InstanceActor::worst_state() noexcept {
  LaneState worst = LaneState::direct;
  for (std::size_t i = 0; is_up() && i < service_->lanes(); ++i)
    worst = service_->state(i) == LaneState::direct ? worst : service_->state(i);
  return worst;
}

void InstanceActor::publish(const PublishEvent& event, Instant now) {
  if (!is_up() || service_->life().is_over()) return;
  if (calls_[event.publisher]) return;  // its thread is in an earlier call
  const RecordId record{static_cast<std::uint32_t>(stage_.accepted.size())};
  stage_.accepted.push_back({.instance = number_,
                             .publisher = (std::uint64_t{number_} << 40U) |
                                          (std::uint64_t{lives_} << 8U) | event.publisher,
                             .topic = event.topic,
                             .key = event.key,
                             .payload_bytes = event.payload_bytes,
                             .header_bytes = event.header_bytes,
                             .begun = ++stage_.order});
  AcceptEntry& entry = stage_.accepted.back();
  SimPublisher& publisher = service_->publisher(event.publisher);
  if (!publisher.begin(topic_name(event.topic), envelope_of(record, entry))) {
    entry.end = CallEnd::refused;
    was_full_ = true;
    stage_.sometimes.count(Situation::journal_full);
    return;
  }
  if (std::exchange(was_full_, false)) stage_.sometimes.count(Situation::journal_free_again);
  if (event.claimed_for + event.accepted_for != Duration{}) {
    stage_.sometimes.count(Situation::publisher_preempted);
  }
  calls_[event.publisher] = {.id = record,
                             .is_accepted = false,
                             .goes_on_at = now + event.claimed_for,
                             .accepted_for = event.accepted_for};
  go_on(event.publisher, now);
}

void InstanceActor::go_on(std::size_t index, Instant now) {
  std::optional<Call>& call = calls_[index];
  SimPublisher& publisher = service_->publisher(index);
  if (!call || call->goes_on_at > now) return;
  if (!call->is_accepted) {
    if (dies_in_publish_ == CrashPoint::publish_claimed) {
      stage_.sometimes.count(Situation::crash_in_publish_claimed);
      publisher.stamp(stage_.read_clock());
      return die();
    }
    publisher.stamp(stage_.read_clock());
    publisher.accept();
    service_->note_accepted();
    unsettled_.push_back({call->id, publisher.last_record()});
    call->is_accepted = true;
    call->goes_on_at = now + call->accepted_for;
    if (call->goes_on_at > now) return;
  }
  if (dies_in_publish_ == CrashPoint::publish_accepted) {
    stage_.sometimes.count(Situation::crash_in_publish_accepted);
    return die();
  }
  publisher.hand_over();
  stage_.accepted[call->id.value].end = CallEnd::accepted;
  stage_.accepted[call->id.value].returned = ++stage_.order;
  call.reset();
  if (dies_in_publish_ == CrashPoint::publish_returned) {
    stage_.sometimes.count(Situation::crash_after_publish);
    die();
  }
}

void InstanceActor::resume_publishers(Instant now, bool all) {
  for (std::size_t i = 0; is_up() && i < calls_.size(); ++i) {
    if (calls_[i] && all) calls_[i]->goes_on_at = now;
    go_on(i, now);
    if (is_up() && calls_[i] && all) go_on(i, now + calls_[i]->accepted_for);
  }
}

std::size_t InstanceActor::step() {
  if (!is_up() || stage_.world.now() < starved_until_) return 0;
  const std::size_t work = service_->step();
  watch();
  return work;
}

void InstanceActor::watch() {
  if (service_->life().is_over()) {
    stage_.sometimes.count_crash(service_->life().ended_in());
    service_.reset();
    disk_.restore();
    die();
    return;
  }
  read_log();
  stage_.judge.observe();
  judge_settled();
  judge_conservation();
}

// "lane 0: direct -> spilling (...)"
void InstanceActor::read_log() {
  const std::vector<std::string>& lines = service_->log().lines();
  for (; log_read_ < lines.size(); ++log_read_) {
    const std::string_view line = lines[log_read_];
    const std::size_t arrow = line.find(" -> ");
    if (!line.starts_with("lane ") || arrow == std::string_view::npos) continue;
    const std::size_t colon = line.find(": ");
    const std::string_view rest = line.substr(arrow + 4);
    const auto from = state_named(line.substr(colon + 2, arrow - colon - 2));
    const auto to = state_named(rest.substr(0, rest.find(' ')));
    SPILLWAY_CHECK(from && to);
    const auto lane =
        static_cast<std::uint16_t>(std::stoul(std::string{line.substr(5, colon - 5)}));
    stage_.sometimes.count(situation_of(*from, *to));
    if (*from == LaneState::spilling && *to == LaneState::recalling) {
      stage_.sometimes.count(Situation::held_then_fatal);
    }
    if (*to == LaneState::recalling) note_recall();
    stage_.judge.on_state({id(), {lane}}, *from, *to);
  }
}

// Should the process die now, the next one must take it for possibly sent.
void InstanceActor::judge_state_of(const ports::Submission& record) {
  RecordId sent;
  std::memcpy(&sent.value, record.payload->data(), sizeof sent.value);
  const auto found = std::ranges::find(unsettled_, sent.value,
                                       [](const Unsettled& each) { return each.id.value; });
  if (found == unsettled_.end()) return;
  if (journal::load_state(disk_.record(found->record)) == core::RecordState::submitted) return;
  stage_.judge.break_promise(
      "P8", "with Kafka, and not `submitted` in the journal: record " + std::to_string(sent.value));
}

// A recall is over within a step or two: no fault begins in it, but many last through it.
void InstanceActor::note_recall() {
  const Outages& outages = stage_.outages;
  if (outages.of_kafka != 0) stage_.sometimes.count(Situation::kafka_fault_while_recalling);
  if (outages.of_postgres != 0) stage_.sometimes.count(Situation::postgres_fault_while_recalling);
  if (outages.of_redis != 0) stage_.sometimes.count(Situation::redis_fault_while_recalling);
}

void InstanceActor::judge_settled() {
  std::erase_if(unsettled_, [this](const Unsettled& each) {
    const core::RecordHeader& record = disk_.record(each.record);
    if (journal::load_state(record) != core::RecordState::settled) return false;
    stage_.judge.on_settled({id(), {record.lane}}, {record.seq}, each.id);
    return true;
  });
}

// Of one life: what was freed had an outcome, and each outcome freed one.
void InstanceActor::judge_conservation() {
  std::uint64_t outcomes = 0;
  for (std::size_t i = 0; i < service_->lanes(); ++i) {
    const handoff::LaneCounters& lane = service_->counters(i);
    outcomes += lane.delivered.get() + lane.spilled.get() + lane.dead_lettered.get();
  }
  const std::uint64_t accepted = service_->accepted() + service_->recovered().records;
  if (accepted == outcomes + service_->in_journal()) return;
  stage_.judge.break_promise("P10", std::to_string(accepted) + " accepted, " +
                                        std::to_string(outcomes) + " with an outcome, " +
                                        std::to_string(service_->in_journal()) + " in flight");
}

void InstanceActor::crash(const Crash& crash, Instant now) {
  if (!is_up() || service_->life().is_over() || coming_) return;
  coming_ = crash;
  restart_at_ = now + crash.down_for;
  lanes_wanted_ = crash.lanes;
  switch (crash.point) {
    case CrashPoint::between_steps:
      stage_.sometimes.count(Situation::crash_between_steps);
      die();
      return;
    case CrashPoint::before_effect:
    case CrashPoint::after_effect:
      service_->life().end_in(static_cast<PortCall>(crash.call), crash.calls,
                              crash.point == CrashPoint::after_effect, [this] { disk_.save(); });
      return;
    case CrashPoint::publish_claimed:
    case CrashPoint::publish_accepted:
    case CrashPoint::publish_returned:
      dies_in_publish_ = crash.point;
      return;
  }
}

// What is left is the file.
void InstanceActor::die() {
  service_.reset();
  dies_in_publish_.reset();
  for (std::optional<Call>& call : calls_) {
    if (call && !call->is_accepted)
      std::erase_if(unsettled_,
                    [&call](const Unsettled& each) { return each.id.value == call->id.value; });
    call.reset();
  }
  stage_.judge.observe();
  judge_settled();
}

void InstanceActor::restart_if_due(Instant now, bool at_once) {
  if (is_up() || (now < restart_at_ && !at_once)) return;
  const std::uint32_t calls = coming_ ? coming_->recovery_calls : 0;
  coming_.reset();
  start(at_once ? 0 : calls);
}

bool InstanceActor::is_settled() noexcept {
  return is_up() && service_->in_journal() == 0;
}

bool InstanceActor::is_direct() noexcept {
  return is_up() && worst_state() == LaneState::direct;
}

void InstanceActor::finish(std::map<core::StreamId, core::Seq>& last_seq) {
  if (const std::size_t left = disk_.unsettled()) {
    stage_.judge.break_promise("P10",
                               std::to_string(left) + " records in a journal that is drained");
  }
  for (std::uint16_t lane = 0; lane < core::lanes_max; ++lane) {
    const std::uint64_t next = disk_.header().lane[lane].next_seq;
    if (next > 1) last_seq[{id(), {lane}}] = {next - 1};
  }
}

void InstanceActor::on_submit(std::uint64_t producer, const ports::Submission& record) {
  judge_state_of(record);
  stage_.judge.on_submit(
      ((std::uint64_t{number_} + 1) << 40U) + lives_ * senders_of_a_life + producer, record);
}

void InstanceActor::on_rows(core::LaneIndex lane, std::span<const ports::OutboxRow> rows) {
  if (std::ranges::any_of(rows, &ports::OutboxRow::held)) has_held_rows_.at(lane.value) = true;
  stage_.judge.on_rows({id(), lane}, rows);
}

void InstanceActor::on_release_unknown(core::LaneIndex lane) {
  if (!has_held_rows_.at(lane.value)) return;
  stage_.judge.break_promise(
      "P15",
      "held rows of a living owner go to the relay unresolved: lane " + std::to_string(lane.value));
}

void InstanceActor::on_notify() {
  stage_.judge.on_notify(id());
}

// ---- A relay ----

RelayActor::RelayActor(Stage& stage, std::uint32_t number) : stage_{stage}, number_{number} {
  start();
}

void RelayActor::start() {
  const LoopsPlan& loops = stage_.plan.loops;
  const SimRelaySettings settings{
      .actor = {relay_actors + number_ * 100'000 + lives_ * actors_of_a_life},
      .owner_grace = loops.owner_grace,
      .lease_timeout = loops.lease_timeout};
  loops::RelaySettings loop;
  loop.poll_start = loops.poll_start;
  loop.batch_rows_max = loops.relay_batch_rows;
  loop.window_rows = loops.relay_window_rows;
  SimBrokerSettings broker;
  broker.batch_records_max = loops.relay_broker_batch_records;
  broker.requests_in_flight_max = loops.requests_in_flight;
  relay_ = std::make_unique<SimRelay>(stage_.world, settings, loop, broker, this);
  ++lives_;
  scans_ = 0;
  looked_at_ = stage_.world.now();
}

std::size_t RelayActor::step() {
  if (!relay_ || stage_.world.now() < starved_until_) return 0;
  const std::size_t work = relay_->step();
  if (std::exchange(scans_, relay_->counters().scans.get()) != scans_) {
    looked_at_ = stage_.world.now();
  }
  stage_.judge.observe();
  if (relay_->life().is_over()) {
    stage_.sometimes.count_crash(relay_->life().ended_in());
    relay_.reset();
  }
  return work;
}

void RelayActor::crash(const Crash& crash, Instant now) {
  if (!relay_ || relay_->life().is_over()) return;
  restart_at_ = now + crash.down_for;
  stage_.sometimes.count(Situation::relay_crash);
  if (crash.point == CrashPoint::before_effect || crash.point == CrashPoint::after_effect) {
    relay_->life().end_in(static_cast<PortCall>(crash.call), crash.calls,
                          crash.point == CrashPoint::after_effect, {});
  } else {
    relay_.reset();
  }
}

void RelayActor::restart_if_due(Instant now, bool at_once) {
  if (!relay_ && (now >= restart_at_ || at_once)) start();
}

void RelayActor::on_submit(std::uint64_t producer, const ports::Submission& record) {
  stage_.judge.on_submit(
      ((std::uint64_t{number_} + 100) << 40U) + lives_ * senders_of_a_life + producer, record);
}

}  // namespace spillway::sim
