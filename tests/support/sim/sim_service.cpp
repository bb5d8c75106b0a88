#include "support/sim/sim_service.hpp"

#include <algorithm>
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
const std::string& with_instance(const ServiceSettings& settings) {
  const journal::JournalFile file{settings.journal_path, settings.journal_bytes};
  if (file.is_new()) file.header().instance = settings.instance.value;
  return settings.journal_path;
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
      journal_{with_instance(settings), settings.journal_bytes},
      recovered_{journal::recover(journal_)},
      outbox_{world, plus(settings.first_actor, outbox_actor), journal_.instance()},
      wakeups_{world, plus(settings.first_actor, wakeup_actor)} {
  const std::size_t former = journal_.lanes();
  if (former != settings.lanes) {
    journal_.set_relaning(former != 0);
    journal_.set_lanes(settings.lanes);
  }
  std::vector<loops::WriterLane> ends;
  for (std::size_t i = 0; i < settings.lanes; ++i) {
    SimBrokerSettings broker = settings.broker;
    broker.actor = plus(settings.first_actor, static_cast<std::uint32_t>(i) * actors_of_a_lane);
    lanes_.push_back(std::make_unique<Lane>(world, broker, settings.producer_takes));
    Lane& lane = *lanes_.back();
    lane.loop.emplace(core::LaneIndex{static_cast<std::uint16_t>(i)}, settings.lane,
                      loops::LaneWiring{journal_, lane.hand_off, lane.jobs, lane.reports, topics_,
                                        lane.brokers, lane.counters, log_},
                      std::move(recovered_.lanes[i]));
    ends.push_back({lane.jobs, lane.reports});
  }
  loops::WriterSettings writer = settings.writer;
  writer.unix_time_offset = unix_offset(world);
  writer_.emplace(writer,
                  loops::WriterWiring{journal_, outbox_, wakeups_, writer_counters_, log_,
                                      [this](const DeadLetter& letter) {
                                        dead_letters_.emplace_back(letter.position);
                                      }},
                  std::move(ends));
}

void SimService::step() {
  resolve_topics();
  for (const auto& lane : lanes_)
    static_cast<void>(lane->loop->step(world_.now()));
  static_cast<void>(writer_->step(world_.now()));
}

// As the housekeeper does: asked until answered.
void SimService::resolve_topics() {
  for (std::size_t i = 0; i < journal_.topic_count(); ++i) {
    const core::TopicIndex topic{static_cast<std::uint16_t>(i)};
    if (topics_.get(topic).standing != handoff::TopicStanding::unasked) continue;
    topics_.set(topic, facts_of(world_.kafka(), journal_.topic_name(topic)));
  }
}

bool SimService::publish(const std::string& topic, test::EnvelopeText envelope) {
  const std::size_t record_bytes = test::record_bytes_of(envelope);
  if (!appender_.has_room_for(record_bytes) && !make_room(record_bytes)) return false;
  envelope.topic = journal_.add_topic(topic).value().value;
  if (envelope.key) {
    envelope.lane = core::lane_of_key(bytes_of(*envelope.key), lanes_.size()).value;
  }
  const auto now = static_cast<std::uint64_t>(world_.now().time_since_epoch().count());
  last_stamp_ = envelope.stamp = std::max(now, last_stamp_ + 1);
  core::RecordHeader& record = test::write_record(envelope, appender_.next());
  appender_.accept(record);
  ++segment_records_;
  ++accepted_;
  lanes_[envelope.lane]->sender.send({{envelope.stamp}, journal_.offset_of(&record)});
  return true;
}

bool SimService::make_room(std::size_t record_bytes) {
  const auto next = journal_.take_segment();
  if (!next) return false;
  if (segment_) journal_.close_segment(*segment_, segment_records_);
  segment_ = next;
  segment_records_ = 0;
  appender_ = journal::SegmentWriter{journal_.memory_of(*next)};
  return appender_.has_room_for(record_bytes);
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

SimRelay::SimRelay(World& world, const SimRelaySettings& settings, const loops::RelaySettings& loop,
                   SimBrokerSettings broker)
    : world_{world},
      store_{world, settings},
      wakeups_{world, plus(settings.actor, 1)},
      brokers_{world, with_actor(broker, plus(settings.actor, 2)), std::chrono::milliseconds{1}} {
  loops::RelaySettings with_offset = loop;
  with_offset.unix_time_offset = unix_offset(world);
  loop_.emplace(with_offset,
                loops::RelayWiring{store_, wakeups_, brokers_, topics_, counters_, log_, {}});
}

void SimRelay::step() {
  resolve_topics();
  static_cast<void>(loop_->step(world_.now()));
}

void SimRelay::resolve_topics() {
  loops::TopicQuestion question;
  while (questions_.receive(question))
    unanswered_.push_back(question);
  std::erase_if(unanswered_, [this](const loops::TopicQuestion& asked) {
    const handoff::TopicFacts facts = facts_of(world_.kafka(), asked.name);
    directory_.set(asked.topic, facts);
    return facts.standing != handoff::TopicStanding::unasked;
  });
}

}  // namespace spillway::sim
