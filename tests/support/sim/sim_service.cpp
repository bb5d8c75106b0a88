#include "support/sim/sim_service.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/check.hpp"
#include "core/routing.hpp"
#include "journal/journal_file.hpp"
#include "journal/recovery.hpp"

namespace spillway::sim {
namespace {

constexpr std::uint32_t outbox_actor = 90;
constexpr std::uint32_t wakeup_actor = 91;
constexpr std::uint32_t actors_of_a_lane = 10;

ActorId plus(ActorId actor, std::uint32_t more) noexcept {
  return {actor.value + more};
}

/// Makes the file, if there is none.
journal::Journal open_journal(const ServiceSettings& settings) {
  if (!settings.journal_memory.empty()) return journal::Journal{settings.journal_memory};
  if (!std::filesystem::exists(settings.journal_path)) {
    const journal::JournalFile file{settings.journal_path, settings.journal_bytes};
    file.header().instance = settings.instance.value;
  }
  return journal::Journal{settings.journal_path, settings.journal_bytes};
}

SimBrokerSettings with_actor(SimBrokerSettings broker, ActorId actor) noexcept {
  broker.actor = actor;
  return broker;
}

Duration unix_offset(const World& world) noexcept {
  return Duration{world.unix_time().ns} - world.now().time_since_epoch();
}

handoff::TopicFacts facts_of(const SimKafka& kafka, std::string_view name) noexcept {
  if (kafka.state() != ServerState::up) return {};
  const SimTopic* const topic = kafka.topic(name);
  if (topic == nullptr) return {.standing = handoff::TopicStanding::missing};
  return {.standing = handoff::TopicStanding::exists,
          .message_bytes_max = static_cast<std::uint32_t>(topic->settings.message_bytes_max)};
}

}  // namespace

SimService::SimService(World& world, const ServiceSettings& settings)
    : world_{world},
      journal_{open_journal(settings)},
      recovered_{journal::recover(journal_)},
      outbox_{world, plus(settings.first_actor, outbox_actor), journal_.instance()},
      wakeups_{world, plus(settings.first_actor, wakeup_actor)} {
  process_.watch = settings.watch;
  const std::size_t count = journal::settle_lane_count(journal_, recovered_, settings.lanes);
  std::vector<loops::WriterLane> ends;
  std::vector<handoff::HandOff*> hand_offs;
  for (std::size_t i = 0; i < count; ++i) {
    SimBrokerSettings broker = settings.broker;
    broker.actor = plus(settings.first_actor, static_cast<std::uint32_t>(i) * actors_of_a_lane);
    lanes_.push_back(std::make_unique<Lane>(world, process_, broker, settings.producer_takes));
    Lane& lane = *lanes_.back();
    lane.loop.emplace(core::LaneIndex{static_cast<std::uint16_t>(i)}, settings.lane,
                      loops::LaneWiring{journal_, lane.hand_off, lane.jobs, lane.reports, topics_,
                                        lane.brokers, lane.counters, log_},
                      std::move(recovered_.lanes[i]));
    ends.push_back({lane.jobs, lane.reports});
    hand_offs.push_back(&lane.hand_off);
  }
  loops::WriterSettings writer = settings.writer;
  writer.unix_time_offset = unix_offset(world);
  writer_.emplace(
      writer,
      loops::WriterWiring{
          journal_, mortal_outbox_, mortal_wakeups_, writer_counters_, log_,
          [this](const DeadLetter& letter) { dead_letters_.emplace_back(letter.position); }},
      std::move(ends));
  for (std::size_t i = 0; i < settings.publishers; ++i) {
    publishers_.emplace_back(journal_, hand_offs, i, settings.segment_bytes_used);
  }
}

std::size_t SimService::step() {
  std::size_t work = 0;
  for (std::size_t i = 0; i < lanes_.size(); ++i)
    work += step_lane(i);
  return work + step_writer();
}

std::size_t SimService::step_lane(std::size_t lane) {
  resolve_topics();
  return lanes_[lane]->loop->step(world_.now());
}

std::size_t SimService::step_writer() {
  return writer_->step(world_.now());
}

// As the housekeeper does: asked until answered.
void SimService::resolve_topics() {
  for (std::uint16_t i = 0; i < journal_.topic_count(); ++i) {
    const core::TopicIndex topic{i};
    if (topics_.get(topic).standing != handoff::TopicStanding::unasked) continue;
    topics_.set(topic, facts_of(world_.kafka(), journal_.topic_name(topic)));
  }
}

bool SimService::publish(const std::string& topic, test::EnvelopeText envelope) {
  SimPublisher& first = publishers_.front();
  if (!first.begin(topic, std::move(envelope))) return false;
  const auto now = static_cast<std::uint64_t>(world_.now().time_since_epoch().count());
  last_clock_ns_ = std::max(now, last_clock_ns_ + 1);
  first.stamp(last_clock_ns_);
  first.accept();
  first.hand_over();
  note_accepted();
  return true;
}

LaneState SimService::state(std::size_t lane) noexcept {
  return static_cast<LaneState>(lanes_[lane]->counters.state.get());
}

std::uint64_t SimService::in_journal() noexcept {
  std::uint64_t freed = 0;
  for (const auto& lane : lanes_)
    freed += lane->counters.freed.get();
  return accepted_ + recovered_.records - freed;
}

// ---- The publisher ----

SimPublisher::SimPublisher(journal::Journal& journal, std::vector<handoff::HandOff*> hand_offs,
                           std::size_t number, std::size_t segment_bytes_used)
    : journal_{journal}, number_{number}, segment_bytes_used_{segment_bytes_used} {
  senders_.reserve(hand_offs.size());
  for (handoff::HandOff* const to : hand_offs)
    senders_.emplace_back(*to);
}

bool SimPublisher::begin(const std::string& topic, test::EnvelopeText envelope) {
  SPILLWAY_CHECK(record_ == nullptr);
  const std::size_t record_bytes = test::record_bytes_of(envelope);
  if (!appender_.has_room_for(record_bytes) && !make_room(record_bytes)) return false;
  envelope.topic = journal_.add_topic(topic).value().value;
  const std::size_t lane = envelope.key
                               ? core::lane_of_key(bytes_of(*envelope.key), senders_.size()).value
                               : number_ % senders_.size();
  envelope.lane = static_cast<std::uint16_t>(lane);
  envelope.stamp = 0;  // not yet
  record_ = &test::write_record(envelope, appender_.next());
  return true;
}

void SimPublisher::stamp(std::uint64_t now_ns) {
  last_stamp_ = std::max(last_stamp_ + 1, now_ns);
  record_->stamp = last_stamp_;
  record_->check = core::header_check(*record_);
}

void SimPublisher::accept() {
  appender_.accept(*record_);
  ++segment_records_;
  last_record_ = journal_.offset_of(record_);
  is_accepted_ = true;
}

void SimPublisher::hand_over() {
  SPILLWAY_CHECK(is_accepted_);
  senders_[record_->lane].send({{record_->stamp}, last_record_});
  record_ = nullptr;
  is_accepted_ = false;
}

bool SimPublisher::make_room(std::size_t record_bytes) {
  const auto next = journal_.take_segment();
  if (!next) return false;
  if (segment_) journal_.close_segment(*segment_, segment_records_);
  segment_ = next;
  segment_records_ = 0;
  appender_ = journal::SegmentWriter{journal_.memory_of(*next).first(segment_bytes_used_)};
  return appender_.has_room_for(record_bytes);
}

// ---- The relay ----

SimRelay::SimRelay(World& world, const SimRelaySettings& settings, const loops::RelaySettings& loop,
                   SimBrokerSettings broker, PortWatch* watch)
    : world_{world},
      process_{.life = {}, .watch = watch},
      store_{world, settings},
      wakeups_{world, plus(settings.actor, 1)},
      brokers_{world, process_, with_actor(broker, plus(settings.actor, 2)),
               std::chrono::milliseconds{1}} {
  loops::RelaySettings with_offset = loop;
  with_offset.unix_time_offset = unix_offset(world);
  loop_.emplace(with_offset, loops::RelayWiring{
                                 mortal_store_, wakeups_, brokers_, topics_, counters_, log_, {}});
}

std::size_t SimRelay::step() {
  resolve_topics();
  return loop_->step(world_.now());
}

void SimRelay::resolve_topics() {
  loops::TopicQuestion question;
  while (questions_.receive(question))
    asked_[question.topic] = question.name;
  for (const auto& [topic, name] : asked_) {
    if (directory_.get(topic).standing != handoff::TopicStanding::unasked) continue;
    directory_.set(topic, facts_of(world_.kafka(), name));
  }
}

}  // namespace spillway::sim
