#include <algorithm>
#include <array>

#include "sim/plan.hpp"
#include "support/sim/mortal_ports.hpp"

namespace spillway::sim {
namespace {

using namespace std::chrono_literals;

/// What a plan's numbers are drawn for; each has its own count, so one more draw of one subject
/// leaves the others alone. New ones go to the end.
enum class Subject : std::uint32_t {
  shape,
  topics,
  loops,
  kinds,
  rates,
  publishes,
  outages,
  crashes,
};

class Draw {
 public:
  Draw(std::uint64_t seed, Subject subject)
      : dice_{seed, {0xF000'0000U + static_cast<std::uint32_t>(subject)}} {}

  [[nodiscard]] std::uint64_t below(std::uint64_t bound) {
    return dice_.below(Choice::plan, bound);
  }
  [[nodiscard]] std::uint32_t between(std::uint32_t min, std::uint32_t max) {
    return min + static_cast<std::uint32_t>(below(max - min + 1));
  }
  [[nodiscard]] bool percent(std::uint32_t chance) { return below(100) < chance; }

  /// Log-uniform in whole numbers: an octave, then a place in it.
  [[nodiscard]] std::uint64_t octaves(std::uint64_t min, std::uint64_t max) {
    std::uint64_t count = 0;
    while ((min << (count + 1)) <= max)
      ++count;
    const std::uint64_t low = min << below(count + 1);
    return std::min(max, low + below(low));
  }
  [[nodiscard]] Duration span(Duration min, Duration max) {
    return Duration{static_cast<Duration::rep>(
        octaves(static_cast<std::uint64_t>(min.count()), static_cast<std::uint64_t>(max.count())))};
  }
  [[nodiscard]] Duration within(Duration max) {
    return Duration{static_cast<Duration::rep>(below(static_cast<std::uint64_t>(max.count()) + 1))};
  }

 private:
  Decisions dice_;
};

class Drawing {
 public:
  Drawing(std::uint64_t seed, const DrawSettings& settings) : settings_{settings} {
    plan_.seed = seed;
    plan_.faults.seed = seed;
  }

  Plan draw() {
    shape();
    topics();
    loops();
    rates();
    publishes();
    outages();
    crashes();
    return std::move(plan_);
  }

 private:
  [[nodiscard]] Draw about(Subject subject) const { return {plan_.seed, subject}; }

  void shape() {
    Draw draw = about(Subject::shape);
    const std::uint32_t instances = 1 + (draw.percent(40) ? draw.between(1, 2) : 0);
    for (std::uint32_t i = 0; i < instances; ++i) {
      plan_.instances.push_back({.publishers = draw.between(1, 4), .lanes = draw.between(1, 3)});
    }
    plan_.relays = draw.between(1, 3);
    span_ = draw.span(60ms, 2s);
    plan_.tick = std::clamp<Duration>(span_ / 256, 100us, 5ms);
    keys_ = draw.between(1, 16);
  }

  void topics() {
    Draw draw = about(Subject::topics);
    const std::uint32_t count = draw.between(1, 3);
    const bool has_odd_ones = draw.percent(30);
    for (std::uint32_t i = 0; i < count; ++i) {
      TopicPlan topic{.partitions = draw.between(1, 4)};
      if (has_odd_ones && draw.percent(30)) topic.message_bytes_max = draw.between(1'500, 3'000);
      if (has_odd_ones && i != 0 && draw.percent(20)) topic.writable = 0;
      if (has_odd_ones && i != 0 && draw.percent(20)) topic.exists = 0;
      plan_.topics.push_back(topic);
    }
  }

  void loops() {
    Draw draw = about(Subject::loops);
    LoopsPlan& loops = plan_.loops;
    loops.window_records = draw.between(4, 100);
    loops.credit_rows = draw.between(4, 100);
    loops.backlog_rows = draw.between(1, 60);
    loops.high_water_percent = draw.between(70, 95);
    loops.writer_batch_rows = draw.between(1, 32);
    loops.broker_batch_records = draw.between(1, 20);
    loops.relay_broker_batch_records = draw.between(1, 20);
    loops.requests_in_flight = draw.percent(50) ? 1 : draw.between(2, 5);
    loops.relay_batch_rows = draw.between(1, 40);
    loops.relay_window_rows = draw.between(4, 100);
    loops.segment_bytes = 64 * draw.between(64, 256);
    loops.failover_after = draw.span(5ms, 75ms);
    loops.relaxed_for = draw.span(10ms, 1s);
    loops.return_within = draw.span(20ms, 1s);
    loops.poll_start = draw.percent(50) ? Duration{100ms} : Duration{1s};
    loops.owner_grace = draw.span(100ms, 2s);
    loops.lease_timeout = draw.span(8s, 12s);
  }

  void rates() {
    Draw kinds = about(Subject::kinds);
    Draw draw = about(Subject::rates);
    const auto rate = [&kinds, &draw](Rate& of, std::uint64_t min_ppm, std::uint64_t max_ppm) {
      const auto ppm = static_cast<std::uint32_t>(draw.octaves(min_ppm, max_ppm));
      if (kinds.percent(50)) of = {ppm};
    };
    KafkaFaults& kafka = plan_.faults.kafka;
    rate(kafka.request_lost, 1'000, 100'000);
    rate(kafka.answer_lost, 1'000, 100'000);
    rate(kafka.fatal, 200, 20'000);
    rate(kafka.busy, 500, 50'000);
    rate(kafka.poison_record, 500, 20'000);
    rate(kafka.reports_shuffled, 50'000, 500'000);
    rate(kafka.kept_back, 200'000, 1'000'000);
    PostgresFaults& postgres = plan_.faults.postgres;
    rate(postgres.lost_before_commit, 1'000, 50'000);
    rate(postgres.lost_after_commit, 1'000, 50'000);
    rate(postgres.limbo, 1'000, 50'000);
    rate(postgres.passing_error, 500, 20'000);
    rate(postgres.session_killed, 500, 20'000);
    rate(postgres.async_forgotten, 100'000, 1'000'000);
    postgres.notice.max = 3s;
    RedisFaults& redis = plan_.faults.redis;
    rate(redis.push_lost, 5'000, 1'000'000);
    rate(redis.push_doubled, 5'000, 300'000);
    rate(redis.push_late, 5'000, 300'000);
    rate(redis.token_lost, 5'000, 1'000'000);
    redis.list_max = draw.between(1, 64);
  }

  void publishes() {
    Draw draw = about(Subject::publishes);
    const bool is_preempted = draw.percent(50);
    for (std::uint32_t i = 0; i < settings_.publishes; ++i) {
      PublishEvent event;
      event.at = draw.within(span_);
      event.instance = static_cast<std::uint32_t>(draw.below(plan_.instances.size()));
      event.publisher =
          static_cast<std::uint32_t>(draw.below(plan_.instances[event.instance].publishers));
      event.topic = static_cast<std::uint32_t>(draw.below(plan_.topics.size()));
      event.key = draw.percent(10) ? -1 : static_cast<std::int32_t>(draw.below(keys_));
      event.payload_bytes = draw.percent(2) ? draw.between(1'000, 3'500) : draw.between(16, 120);
      event.header_bytes = draw.percent(20) ? draw.between(1, 20) : 0;
      if (is_preempted && draw.percent(10)) event.claimed_for = draw.span(50us, 20ms);
      if (is_preempted && draw.percent(10)) event.accepted_for = draw.span(50us, 20ms);
      plan_.publishes.push_back(event);
    }
    std::ranges::stable_sort(plan_.publishes, {}, &PublishEvent::at);
  }

  void outages() {
    Draw draw = about(Subject::outages);
    for (std::size_t kind = 0; kind < outage_kinds; ++kind) {
      const std::uint32_t count = draw.between(1, 2);
      const bool is_on = draw.percent(35);
      for (std::uint32_t i = 0; i < count; ++i) {
        const Outage outage{.kind = static_cast<OutageKind>(kind),
                            .at = draw.within(span_),
                            .lasts = draw.span(1ms, 4s),
                            .target = draw.between(0, 3)};
        if (is_on) plan_.outages.push_back(outage);
      }
    }
    std::ranges::stable_sort(plan_.outages, {}, &Outage::at);
  }

  void crashes() {
    Draw draw = about(Subject::crashes);
    const bool of_instances = draw.percent(50);
    const bool of_relays = draw.percent(40);
    const bool changes_lanes = draw.percent(50);
    const std::uint32_t count = draw.between(1, 4);
    for (std::uint32_t i = 0; i < count; ++i) {
      Crash crash;
      crash.at = draw.within(span_ + 300ms);
      crash.of_relay = draw.percent(30);
      crash.target = draw.between(0, 2);
      crash.point = static_cast<CrashPoint>(draw.below(crash_points));
      crash.calls = static_cast<std::uint32_t>(draw.octaves(1, 40));
      if (draw.percent(60)) {
        crash.point = draw.percent(50) ? CrashPoint::before_effect : CrashPoint::after_effect;
        crash.call = call_of(crash.of_relay, draw.between(0, 7));
        crash.calls = draw.between(1, 3);
      }
      crash.down_for = draw.span(100us, 3s);
      const std::uint32_t lanes = draw.between(1, 3);
      crash.target %=
          crash.of_relay ? plan_.relays : static_cast<std::uint32_t>(plan_.instances.size());
      crash.lanes = crash.of_relay  ? 1
                    : changes_lanes ? lanes
                                    : plan_.instances[crash.target].lanes;
      crash.recovery_calls = draw.percent(30) ? draw.between(1, 20) : 0;
      if (crash.of_relay ? of_relays : of_instances) plan_.crashes.push_back(crash);
    }
    std::ranges::stable_sort(plan_.crashes, {}, &Crash::at);
  }

  // Each has eight calls to die in; the first three, on Kafka, are of both.
  static std::uint32_t call_of(bool of_relay, std::uint32_t i) {
    const PortCall own = of_relay ? PortCall::scan : PortCall::write_rows;
    return i < 3 ? static_cast<std::uint32_t>(PortCall::submit) + i
                 : static_cast<std::uint32_t>(own) + i - 3;
  }

  const DrawSettings settings_;
  Plan plan_;
  Duration span_{};
  std::uint32_t keys_ = 1;
};

}  // namespace

Plan draw_plan(std::uint64_t seed, const DrawSettings& settings) {
  return Drawing{seed, settings}.draw();
}

}  // namespace spillway::sim
