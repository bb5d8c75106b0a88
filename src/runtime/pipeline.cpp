#include "spillway/pipeline.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <unistd.h>

#include "core/limits.hpp"
#include "journal/segment.hpp"
#include "runtime/clock.hpp"
#include "runtime/metrics_snapshot.hpp"
#include "runtime/pipeline_impl.hpp"
#include "runtime/publisher_impl.hpp"
#include "runtime/server_settings.hpp"
#include "spillway/error.hpp"

namespace spillway {
namespace {

using namespace std::chrono_literals;
using handoff::TopicStanding;
using runtime::Thread;

constexpr auto look_again_after = 200us;
// What lanes ask for meanwhile is taken so often.
constexpr core::Duration writer_busy_wait = 1ms;
/// A lane that is not direct: no caller waits for a row, and 20,000 looks a second would take from
/// the relay what it needs to get ahead.
constexpr core::Duration detour_wait = 500us;
constexpr std::size_t much_work = 256;  ///< In a step: the next one finds more.

std::string journal_path(const Config& config) {
  if (!config.journal.path.empty()) return config.journal.path;
  return "/dev/shm/spillway-" + std::to_string(::getuid()) + ".journal";
}

std::size_t lanes_wanted(const Config& config) {
  constexpr std::size_t lanes_by_default_max = 4;
  if (config.lanes.count != 0) return config.lanes.count;
  return std::clamp<std::size_t>(runtime::usable_cpus() / 2, 1, lanes_by_default_max);
}

std::size_t records_that_fit(const journal::Journal& journal, std::size_t lanes) {
  constexpr std::size_t small_record_bytes = 128;
  return journal.size_bytes() / small_record_bytes / lanes;
}

loops::LaneSettings lane_settings(const Config& config, std::size_t lane) {
  const auto& forced = config.lanes.force_spill;
  return {.limits = {.failover_after = config.lanes.failover_after,
                     .failover_after_relaxed = 4 * config.lanes.failover_after,
                     .backlog_rows_max = config.lanes.backlog_rows_max,
                     .high_water_percent = config.journal.high_water_percent,
                     .return_within = config.lanes.return_within},
          .window = {.records_max = config.lanes.window_records,
                     .bytes_max = config.lanes.window_bytes},
          .credit = {.rows_max = 4 * config.postgres.batch_rows_max,
                     .bytes_max = 4 * config.postgres.batch_bytes_max},
          .spill_forced = std::ranges::find(forced, lane) != forced.end()};
}

std::optional<unsigned> cpu_of(const Config& config, std::size_t lane) {
  if (config.lanes.cpus.empty()) return std::nullopt;
  return config.lanes.cpus[lane % config.lanes.cpus.size()];
}

/// Looks every now and then until `is_true` or the deadline.
template <class Condition>
bool wait_until(Deadline deadline, Condition is_true) {
  while (!is_true()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(look_again_after);
  }
  return true;
}

}  // namespace

// ---- Opening ----

Pipeline::Impl::Impl(const Config& settings)
    : config{runtime::checked(settings)},
      log{config},
      journal{journal_path(config), config.journal.size_bytes},
      recovered{journal::recover(journal)},
      records_recovered{recovered.records},
      publish_side{.journal = journal,
                   .hand_offs = hand_offs,
                   .slots = slots,
                   .record_bytes_max = config.journal.record_bytes_max},
      topic_desk{directory},
      housekeeper{runtime::broker_settings(config), log},
      store{runtime::pg_outbox_settings(config, journal.instance()), log},
      tokens{runtime::redis_settings(config), log},
      wakeups{tokens} {
  if (recovered.records + recovered.torn + recovered.foreign != 0) {
    log.write(LogLevel::info, "journal: took over " + std::to_string(recovered.records) +
                                  " records of a former process; skipped " +
                                  std::to_string(recovered.torn) + " torn and " +
                                  std::to_string(recovered.foreign) + " damaged ones");
  }
  if (!journal.is_new() && journal.size_bytes() != config.journal.size_bytes) {
    log.write(LogLevel::warning, "journal: keeps its size of " +
                                     std::to_string(journal.size_bytes() >> 20U) +
                                     " MiB; to change it, drain the journal and remove the file");
  }
  make_lanes(settle_lane_count());
  if (config.relay.enabled) {
    relay = std::make_unique<runtime::RelayRunner>(
        config, housekeeper, log, [this](std::string_view name) { return facts_of(name); });
    wakeups.tell_too(*relay);
  }
  start();
  wait_until_warm();
}

handoff::TopicFacts Pipeline::Impl::facts_of(std::string_view topic) const noexcept {
  for (std::uint16_t i = 0; i < journal.topic_count(); ++i) {
    const handoff::TopicFacts facts = directory.get({i});
    if (journal.topic_name({i}) == topic && facts.standing == handoff::TopicStanding::exists)
      return facts;
  }
  return {};
}

std::size_t Pipeline::Impl::settle_lane_count() {
  const std::size_t wanted = lanes_wanted(config);
  const std::size_t count = journal::settle_lane_count(journal, recovered, wanted);
  if (count != wanted) {
    log.write(LogLevel::warning, "journal: was written with " + std::to_string(count) +
                                     " lanes and is not empty; " + std::to_string(wanted) +
                                     " take effect at the next start");
  }
  return count;
}

void Pipeline::Impl::make_lanes(std::size_t count) {
  std::vector<loops::WriterLane> writer_lanes;
  for (std::size_t i = 0; i < count; ++i) {
    hand_offs.push_back(std::make_unique<handoff::HandOff>(records_that_fit(journal, count)));
    lanes.push_back(std::make_unique<Lane>());
    Lane& lane = *lanes.back();
    housekeeper.serve(lane.brokers);
    lane.loop = std::make_unique<loops::LaneLoop>(core::LaneIndex{static_cast<std::uint16_t>(i)},
                                                  lane_settings(config, i),
                                                  loops::LaneWiring{.journal = journal,
                                                                    .hand_off = *hand_offs.back(),
                                                                    .to_writer = lane.to_writer,
                                                                    .from_writer = lane.from_writer,
                                                                    .topics = directory,
                                                                    .brokers = lane.brokers,
                                                                    .counters = lane.counters,
                                                                    .log = log},
                                                  std::move(recovered.lanes[i]));
    writer_lanes.push_back({.jobs = lane.to_writer, .reports = lane.from_writer});
  }
  writer = std::make_unique<loops::WriterLoop>(
      loops::WriterSettings{.batch_rows_max = config.postgres.batch_rows_max,
                            .batch_bytes_max = config.postgres.batch_bytes_max,
                            .unix_time_offset = runtime::unix_time_offset(),
                            .seed = journal.instance().value},
      loops::WriterWiring{.journal = journal,
                          .store = store,
                          .wakeups = wakeups,
                          .counters = writer_counters,
                          .log = log,
                          .on_dead_letter = config.on_dead_letter},
      writer_lanes);
}

void Pipeline::Impl::start() {
  housekeeper.serve(topic_desk);
  for (std::uint16_t i = 0; i < journal.topic_count(); ++i) {
    topic_desk.questions().send({.topic = {i}, .name = std::string{journal.topic_name({i})}});
  }
  housekeeper.start();
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    lane_threads.push_back(std::make_unique<Thread>(
        "sw-lane-" + std::to_string(i), cpu_of(config, i),
        [this, &lane = *lanes[i]](const std::stop_token& stop) { run_lane(lane, stop); }));
  }
  writer_thread = std::make_unique<Thread>(
      "sw-writer", std::nullopt, [this](const std::stop_token& stop) { run_writer(stop); });
  if (relay) relay->start();
}

void Pipeline::Impl::wait_until_warm() {
  const Deadline deadline = std::chrono::steady_clock::now() + config.kafka.ready_within;
  const bool warm = wait_until(deadline, [this] {
    return std::ranges::all_of(
        lanes, [](const auto& lane) { return lane->counters.producer_warm.get() != 0; });
  });
  if (!warm) {
    log.write(LogLevel::warning,
              "kafka: not ready within kafka.ready_within; the pipeline starts spilling");
  }
}

void Pipeline::Impl::run_lane(Lane& lane, const std::stop_token& stop) {
  runtime::FencedClock clock;
  runtime::Idler idler{config.lanes.park_max};
  while (!stop.stop_requested()) {
    const std::size_t work = lane.loop->step(clock.now());
    if (lane.loop->is_direct() || work >= much_work) {
      idler.after(work);
    } else {
      std::this_thread::sleep_for(detour_wait);
    }
  }
}

void Pipeline::Impl::run_writer(const std::stop_token& stop) {
  runtime::Idler idler{config.lanes.park_max};
  while (!stop.stop_requested()) {
    const core::Instant at = runtime::now();
    const std::size_t work = writer->step(at);
    rates.sample(at, outcomes());
    if (work == 0 && writer->is_busy()) {
      pollfd answer = store.awaited();
      runtime::wait_for({&answer, 1}, writer_busy_wait);
    } else {
      idler.after(work);
    }
  }
}

runtime::Outcomes Pipeline::Impl::outcomes() const noexcept {
  runtime::Outcomes sum;
  for (const auto& lane : lanes) {
    sum.delivered += lane->counters.delivered.get();
    sum.spilled += lane->counters.spilled.get();
    sum.dead_lettered += lane->counters.dead_lettered.get();
  }
  return sum;
}

// ---- Using ----

Topic Pipeline::Impl::topic(std::string_view name) {
  if (name.empty() || name.size() > core::topic_name_bytes_max) {
    throw StartError{"topic \"" + std::string{name} + "\": a name has 1 to 249 bytes"};
  }
  std::optional<core::TopicIndex> index;
  {
    const std::lock_guard lock{topics_mutex};
    const std::size_t before = journal.topic_count();
    index = journal.add_topic(name);
    if (index && journal.topic_count() != before) {
      topic_desk.questions().send({.topic = *index, .name = std::string{name}});
    }
  }
  if (!index) {
    throw StartError{"topic " + std::string{name} + ": the journal knows " +
                     std::to_string(core::topics_max) + " topics already"};
  }
  const Deadline deadline = std::chrono::steady_clock::now() + config.kafka.topic_within;
  switch (housekeeper.wait_for(directory, *index, deadline)) {
    case TopicStanding::exists:
      break;
    case TopicStanding::missing:
      throw StartError{"topic " + std::string{name} +
                       ": Kafka has no such topic; create it (topics are not made by publishing)"};
    case TopicStanding::forbidden:
      throw StartError{"topic " + std::string{name} +
                       ": Kafka does not let this client write to it; grant it WRITE and DESCRIBE"};
    case TopicStanding::unasked:
      log.write(LogLevel::warning, "topic " + std::string{name} +
                                       ": Kafka could not be asked; it is asked again, and until "
                                       "then the outbox takes its envelopes");
      break;
  }
  return Topic{index->value};
}

Outcome Pipeline::Impl::look_up(const Ticket& ticket) const noexcept {
  const core::RecordOffset at{ticket.record()};
  const journal::SegmentIndex segment = journal.segment_of(at);
  if (journal.generation_of(segment) != ticket.generation()) return Outcome::settled;
  const core::RecordState state = journal::load_state(journal.record(at));
  // Used again while we looked: then its records were settled before.
  if (journal.generation_of(segment) != ticket.generation()) return Outcome::settled;
  return state == core::RecordState::settled ? Outcome::settled : Outcome::pending;
}

bool Pipeline::Impl::is_settled_below(core::Stamp stamp) const noexcept {
  return std::ranges::all_of(lanes, [stamp](const auto& lane) {
    return lane->counters.settled_below.get() > stamp.value;
  });
}

std::uint64_t Pipeline::Impl::in_flight() const noexcept {
  std::uint64_t freed = 0;  // first: what is freed was accepted before
  for (const auto& lane : lanes)
    freed += lane->counters.freed.get();
  const std::uint64_t accepted = slots.accepted() + records_recovered;
  return accepted > freed ? accepted - freed : 0;
}

Metrics Pipeline::Impl::counters() const {
  Metrics metrics;
  const std::uint64_t now_ns = runtime::stamp_now().value;
  for (const auto& lane : lanes) {
    const handoff::LaneCounters& counters = lane->counters;
    metrics.lanes.push_back(runtime::lane_metrics(counters, now_ns));
    const LaneMetrics& each = metrics.lanes.back();
    metrics.delivered += each.delivered;
    metrics.spilled += each.spilled;
    metrics.dead_lettered += each.dead_lettered;
    metrics.outbox_queue_depth += counters.outbox_depth.get();
    metrics.servers.kafka_up = metrics.servers.kafka_up || counters.broker_up.get() != 0;
    metrics.last_failover_ns = std::max(metrics.last_failover_ns, counters.last_failover_ns.get());
    metrics.last_return_ns = std::max(metrics.last_return_ns, counters.last_return_ns.get());
  }
  metrics.in_flight = in_flight();
  slots.for_each([&metrics](const handoff::PublisherCounters& slot) {
    metrics.accepted += slot.accepted.get();
    metrics.journal_full += slot.journal_full.get();
    metrics.too_large += slot.too_large.get();
  });
  metrics.recovered = records_recovered;
  metrics.accepted += records_recovered;
  metrics.torn = recovered.torn;
  metrics.journal_bytes = journal.size_bytes();
  metrics.journal_used_bytes = journal.used_segments() * core::segment_bytes;
  metrics.servers.postgres_up = writer_counters.postgres_up.get() != 0;
  metrics.servers.redis_up = writer_counters.redis_up.get() != 0;
  if (relay) metrics.relay = runtime::relay_metrics(relay->counters());
  const runtime::Rates::Shares shares = rates.shares({.delivered = metrics.delivered,
                                                      .spilled = metrics.spilled,
                                                      .dead_lettered = metrics.dead_lettered});
  metrics.kafka_publish_success_rate = shares.delivered;
  metrics.outbox_fallback_rate = shares.spilled;
  return metrics;
}

Metrics Pipeline::Impl::metrics() const {
  Metrics metrics = counters();
  runtime::LatencySum ack;
  for (const auto& lane : lanes)
    ack.add(lane->counters.ack);
  runtime::LatencySum publish;
  slots.for_each([&publish](const handoff::PublisherCounters& slot) { publish.add(slot.publish); });
  metrics.publish = publish.digest();
  metrics.ack = ack.digest();
  if (relay) {
    runtime::LatencySum kafka_up;
    runtime::LatencySum all;
    kafka_up.add(relay->counters().delay_kafka_up);
    all.add(relay->counters().delay_all);
    metrics.outbox_processing_delay = kafka_up.digest();
    metrics.outbox_processing_delay_all = all.digest();
  }
  return metrics;
}

// ---- Closing ----

bool Pipeline::Impl::close(Deadline deadline) noexcept {
  if (std::exchange(stopped, true)) return left_nothing;
  publish_side.closed.store(true, std::memory_order_relaxed);
  left_nothing = wait_until(deadline, [this] { return in_flight() == 0; });
  if (relay) {
    relay->wind_down();
    static_cast<void>(wait_until(deadline, [this] { return relay->is_wound_down(); }));
  }
  stop();
  if (!left_nothing) {
    log.write(LogLevel::warning, "close: " + std::to_string(in_flight()) +
                                     " records stay in the journal; the next start delivers them");
  }
  return left_nothing;
}

void Pipeline::Impl::stop() noexcept {
  for (const auto& thread : lane_threads)
    thread->request_stop();
  if (writer_thread) writer_thread->request_stop();
  for (const auto& thread : lane_threads)
    thread->join();
  if (writer_thread) writer_thread->join();
  if (relay) relay->stop();
  for (const auto& lane : lanes) {
    if (auto broker = lane->loop->take_broker()) lane->brokers.retire(std::move(broker));
  }
  housekeeper.stop();
}

Pipeline::Impl::~Impl() {
  close(std::chrono::steady_clock::now() + config.close_within);
}

// ---- The public class ----

Pipeline::Pipeline(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
Pipeline::Pipeline(Pipeline&& other) noexcept = default;
Pipeline& Pipeline::operator=(Pipeline&& other) noexcept = default;
Pipeline::~Pipeline() = default;

Pipeline Pipeline::open(const Config& config) {
  return Pipeline{std::make_unique<Impl>(config)};
}

Topic Pipeline::topic(std::string_view name) {
  return impl_->topic(name);
}

Publisher Pipeline::publisher() {
  return Publisher{std::make_unique<Publisher::Impl>(impl_->publish_side)};
}

Outcome Pipeline::wait(const Ticket& ticket, Deadline deadline) const noexcept {
  static_cast<void>(
      wait_until(deadline, [this, &ticket] { return impl_->look_up(ticket) == Outcome::settled; }));
  return impl_->look_up(ticket);
}

bool Pipeline::flush(Deadline deadline) const noexcept {
  const core::Stamp until = runtime::stamp_now();
  return wait_until(deadline, [this, until] { return impl_->is_settled_below(until); });
}

bool Pipeline::close(Deadline deadline) noexcept {
  return impl_->close(deadline);
}

Metrics Pipeline::counters() const {
  return impl_->counters();
}

Metrics Pipeline::metrics() const {
  return impl_->metrics();
}

}  // namespace spillway
