#include "sim/simulation.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>

#include "sim/actor.hpp"

namespace spillway::sim {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{1h};
/// Of the clock's steps while nothing happens.
constexpr Duration idle_tick_max = 20ms;
/// The slowest ways back: a poll of 5 s, a late lease, a reconnect with backoff.
constexpr Duration drains_within = 60s;
/// Without a token: the longest poll, and a session whose end nobody has noticed yet.
constexpr Duration looks_within = 10s;
/// After which nothing is under way any more.
constexpr Duration late_arrivals = 6s;

class Simulation {
 public:
  Simulation(const Plan& plan, Disks& disks, Sometimes& sometimes)
      : plan_{plan},
        sometimes_{sometimes},
        faults_{with_log(plan, log_)},
        world_{faults_, start},
        judge_{world_, plan, accepted_, sometimes},
        stage_{world_, plan, accepted_, judge_, sometimes} {
    accepted_.reserve(plan.publishes.size() + 1);
    for (std::uint32_t i = 0; i < plan.topics.size(); ++i) {
      const TopicPlan& topic = plan.topics[i];
      if (topic.exists == 0) continue;
      world_.kafka().create_topic(topic_name(i), {.partitions = topic.partitions,
                                                  .message_bytes_max = topic.message_bytes_max,
                                                  .writable = topic.writable != 0});
    }
    for (std::uint32_t i = 0; i < plan.instances.size(); ++i)
      instances_.push_back(std::make_unique<InstanceActor>(stage_, i, disks.get(i)));
    for (std::uint32_t i = 0; i < plan.relays; ++i)
      relays_.push_back(std::make_unique<RelayActor>(stage_, i));
  }

  RunResult run(bool prints_trace) {
    while (!is_broken() && (!plan_is_over() || outage_ends_ > now_))
      tick();
    if (!is_broken()) drain();
    if (!is_broken()) finish();
    sometimes_.add(world_.trace());
    if (prints_trace) print_trace();
    return {.violation = judge_.violation(),
            .step = step_,
            .at = now_ - start,
            .trace_hash = world_.trace().hash(),
            .decisions = log_.happened};
  }

 private:
  static FaultPlan with_log(const Plan& plan, DecisionLog& log) {
    FaultPlan faults = plan.faults;
    if (plan.decisions) log.allowed.emplace(plan.decisions->begin(), plan.decisions->end());
    faults.log = &log;
    return faults;
  }

  [[nodiscard]] bool is_broken() const noexcept { return judge_.violation().has_value(); }
  [[nodiscard]] bool plan_is_over() const noexcept {
    return next_publish_ == plan_.publishes.size() && next_outage_ == plan_.outages.size() &&
           next_crash_ == plan_.crashes.size();
  }

  void tick() {
    ++step_;
    happen();
    world_.advance(now_);
    for (const auto& instance : instances_)
      instance->restart_if_due(now_, false);
    for (const auto& relay : relays_)
      relay->restart_if_due(now_, false);
    const std::size_t work = step_actors();
    judge_.observe();
    idle_tick_ = work != 0 ? plan_.tick : std::min(2 * idle_tick_, idle_tick_max);
    now_ = next_moment();
  }

  // In another order each time.
  std::size_t step_actors() {
    const std::size_t count = instances_.size() + relays_.size();
    std::size_t work = 0;
    const std::size_t first = dice_.below(Choice::schedule, count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t actor = (first + i) % count;
      work += actor < instances_.size() ? instances_[actor]->step()
                                        : relays_[actor - instances_.size()]->step();
    }
    return work;
  }

  [[nodiscard]] Instant next_moment() const {
    Instant next = now_ + idle_tick_;
    const Instant soonest = now_ + plan_.tick;
    if (const auto event = world_.next_event()) next = std::min(next, std::max(*event, soonest));
    const auto consider = [&next, soonest](Instant at) {
      next = std::min(next, std::max(at, soonest));
    };
    if (next_publish_ < plan_.publishes.size()) consider(start + plan_.publishes[next_publish_].at);
    if (next_outage_ < plan_.outages.size()) consider(start + plan_.outages[next_outage_].at);
    if (next_crash_ < plan_.crashes.size()) consider(start + plan_.crashes[next_crash_].at);
    for (const auto& ending : endings_)
      consider(ending.first);
    return next;
  }

  // ---- What the plan says
  void happen() {
    for (const auto& instance : instances_)
      instance->resume_publishers(now_, false);
    while (!endings_.empty() && endings_.begin()->first <= now_) {
      end_outage(endings_.begin()->second);
      endings_.erase(endings_.begin());
    }
    for (; is_due(next_outage_, plan_.outages); ++next_outage_)
      begin_outage(plan_.outages[next_outage_]);
    for (; is_due(next_crash_, plan_.crashes); ++next_crash_) {
      const Crash& crash = plan_.crashes[next_crash_];
      if (crash.of_relay)
        relays_[crash.target % relays_.size()]->crash(crash, now_);
      else
        instances_[crash.target % instances_.size()]->crash(crash, now_);
    }
    for (; is_due(next_publish_, plan_.publishes); ++next_publish_) {
      const PublishEvent& event = plan_.publishes[next_publish_];
      instances_[event.instance % instances_.size()]->publish(event, now_);
    }
  }

  template <class Event>
  [[nodiscard]] bool is_due(std::size_t next, const std::vector<Event>& events) const {
    return next < events.size() && start + events[next].at <= now_;
  }

  void begin_outage(const Outage& outage) {
    note_fault(outage.kind);
    ++under_way(outage.kind);
    set_outage(outage, true);
    const Instant end = now_ + outage.lasts;
    endings_.emplace(end, outage);
    outage_ends_ = std::max(outage_ends_, end);
    const auto is_down = [](const auto& server) { return server.state() != ServerState::up; };
    if (is_down(world_.kafka()) && is_down(world_.database()) && is_down(world_.redis())) {
      sometimes_.count(Situation::all_servers_down);
    }
  }
  void end_outage(const Outage& outage) {
    --under_way(outage.kind);
    set_outage(outage, false);
  }
  [[nodiscard]] std::size_t& under_way(OutageKind kind) noexcept {
    if (kind <= OutageKind::leader_stuck) return stage_.outages.of_kafka;
    if (kind <= OutageKind::postgres_fails) return stage_.outages.of_postgres;
    if (kind <= OutageKind::redis_readonly) return stage_.outages.of_redis;
    return starved_;
  }

  void set_outage(const Outage& outage, bool begins) {
    const ServerState down = begins ? ServerState::down : ServerState::up;
    const ServerState hung = begins ? ServerState::hung : ServerState::up;
    switch (outage.kind) {
      case OutageKind::kafka_down:
        return world_.kafka().set_state(down, now_);
      case OutageKind::kafka_hung:
        return world_.kafka().set_state(hung, now_);
      case OutageKind::kafka_refuses:
        return world_.kafka().refuse_connections(begins);
      case OutageKind::leader_missing:
        return set_leaders(outage.target, begins ? LeaderState::missing : LeaderState::leads);
      case OutageKind::leader_stuck:
        return set_leaders(outage.target, begins ? LeaderState::stuck : LeaderState::leads);
      case OutageKind::postgres_down:
        return world_.database().set_state(down, now_);
      case OutageKind::postgres_hung:
        return world_.database().set_state(hung, now_);
      case OutageKind::postgres_slow:
        return world_.database().slow_down(begins ? Duration{30ms} : Duration{});
      case OutageKind::postgres_fails:
        return world_.database().fail_statements(begins ? "disk full" : nullptr);
      case OutageKind::redis_down:
        return world_.redis().set_state(down, now_);
      case OutageKind::redis_hung:
        return world_.redis().set_state(hung, now_);
      case OutageKind::redis_readonly:
        return world_.redis().refuse_writes(begins);
      case OutageKind::instance_starved:
        if (begins)
          instances_[outage.target % instances_.size()]->starve_until(now_ + outage.lasts);
        return;
      case OutageKind::relay_starved:
        if (begins) relays_[outage.target % relays_.size()]->starve_until(now_ + outage.lasts);
        return;
    }
  }

  void set_leaders(std::uint32_t partition, LeaderState state) {
    for (std::uint32_t i = 0; i < plan_.topics.size(); ++i) {
      const SimTopic* const topic = world_.kafka().topic(topic_name(i));
      if (topic == nullptr || partition >= topic->partitions.size()) continue;
      world_.kafka().set_leader(topic_name(i), partition, state);
    }
  }

  void note_fault(OutageKind kind) {
    const auto row = kind <= OutageKind::leader_stuck ? Situation::kafka_fault_while_recalling
                     : kind <= OutageKind::postgres_fails
                         ? Situation::postgres_fault_while_recalling
                         : Situation::redis_fault_while_recalling;
    if (kind >= OutageKind::instance_starved) return;
    for (const auto& instance : instances_) {
      if (!instance->is_up()) continue;
      for (std::size_t i = 0; i < instance->service().lanes(); ++i) {
        const LaneState state = instance->service().state(i);
        if (state == LaneState::direct) continue;
        const int column = state == LaneState::recalling ? 0 : state == LaneState::spilling ? 1 : 2;
        sometimes_.count(static_cast<Situation>(static_cast<int>(row) + column));
      }
    }
  }

  // ---- The liveness part
  void drain() {
    world_.stop_faults();
    for (const auto& [at, outage] : endings_)
      end_outage(outage);
    endings_.clear();
    const Instant healed = now_;
    for (const auto& instance : instances_) {
      instance->restart_if_due(now_, true);
      instance->resume_publishers(now_, true);
    }
    for (const auto& relay : relays_)
      relay->restart_if_due(now_, true);
    while (!is_broken() && !is_drained()) {
      if (now_ - healed > drains_within) return judge_.break_promise("P20", what_is_left());
      for (const auto& relay : relays_) {
        if (now_ - std::max(healed, relay->looked_at()) <= looks_within) continue;
        return judge_.break_promise("P20", "a relay that no token reaches has stopped looking");
      }
      tick();
      for (const auto& instance : instances_)
        instance->resume_publishers(now_, true);
    }
    const Instant drained = now_;
    while (!is_broken() && now_ - drained < late_arrivals) {
      tick();
      now_ += 200ms;
    }
  }

  [[nodiscard]] bool is_drained() {
    if (world_.database().row_count() != 0) return false;
    return std::ranges::all_of(instances_, [](const auto& instance) {
      return instance->is_settled() && instance->is_direct();
    });
  }

  [[nodiscard]] std::string what_is_left() {
    std::string left = std::to_string(world_.database().row_count()) + " rows";
    for (const auto& instance : instances_) {
      if (!instance->is_up()) {
        left += ", an instance down";
        continue;
      }
      left += ", " + std::to_string(instance->service().in_journal()) + " in a journal, lanes";
      for (std::size_t i = 0; i < instance->service().lanes(); ++i)
        left += " " + std::string{name_of(instance->service().state(i))};
    }
    return left + ", 60 s after the last fault";
  }

  void finish() {
    std::map<core::StreamId, core::Seq> last_seq;
    for (const auto& instance : instances_)
      instance->finish(last_seq);
    judge_.finish(last_seq);
  }

  void print_trace() {
    static constexpr std::array names{
        "appended", "committed",     "released", "buried", "leased", "read",   "removed",
        "adopted",  "session ended", "pushed",   "popped", "server", "refused"};
    for (const Event& event : world_.trace().events()) {
      std::printf("%+.6f s  %-13s  %llx-%u  %llu..%llu\n",
                  std::chrono::duration<double>(event.at - start).count(),
                  names.at(static_cast<std::size_t>(event.kind)),
                  static_cast<unsigned long long>(event.stream.instance.value),
                  static_cast<unsigned>(event.stream.lane.value),
                  static_cast<unsigned long long>(event.first.value),
                  static_cast<unsigned long long>(event.last.value));
    }
    for (const auto& instance : instances_) {
      if (!instance->is_up()) continue;
      for (const std::string& line : instance->service().log().lines())
        std::printf("%s\n", line.c_str());
    }
  }

  const Plan& plan_;
  Sometimes& sometimes_;
  DecisionLog log_;
  FaultPlan faults_;
  World world_;
  AcceptLog accepted_;
  Judge judge_;
  Stage stage_;
  Decisions dice_{plan_.seed, {0xF100'0000U}};
  std::vector<std::unique_ptr<InstanceActor>> instances_;
  std::vector<std::unique_ptr<RelayActor>> relays_;
  std::uint64_t step_ = 0;
  Instant now_ = start;
  Duration idle_tick_ = plan_.tick;
  std::size_t next_publish_ = 0;
  std::size_t next_outage_ = 0;
  std::size_t next_crash_ = 0;
  std::multimap<Instant, Outage> endings_;
  Instant outage_ends_{};
  std::size_t starved_ = 0;
};

}  // namespace

JournalDisk& Disks::get(std::size_t i) {
  while (disks_.size() <= i)
    disks_.push_back(std::make_unique<JournalDisk>());
  return *disks_[i];
}

RunResult run(const Plan& plan, Disks& disks, Sometimes& sometimes, bool prints_trace) {
  return Simulation{plan, disks, sometimes}.run(prints_trace);
}

}  // namespace spillway::sim
