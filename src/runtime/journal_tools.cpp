// src/runtime/journal_tools.cpp: inspect_journal() and drain_journal().

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/postgres/pg_outbox.hpp"
#include "adapters/redis/redis_wakeup.hpp"
#include "core/config_rules.hpp"
#include "journal/journal.hpp"
#include "journal/recovery.hpp"
#include "journal/segment.hpp"
#include "loops/lane_loop.hpp"
#include "loops/writer_loop.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"
#include "runtime/server_settings.hpp"
#include "spillway/error.hpp"
#include "spillway/journal.hpp"

namespace spillway {
namespace {

using core::RecordState;

/// A drain asks Kafka nothing.
class NoBrokers final : public ports::BrokerSupply {
 public:
  void order(std::size_t /*batch_bytes_max*/) override {}
  [[nodiscard]] std::unique_ptr<ports::Broker> take() noexcept override { return nullptr; }
  void retire(std::unique_ptr<ports::Broker> /*broker*/) noexcept override {}
};

void count(JournalReport& report, const journal::WalkedRecord& record) {
  switch (record.state) {
    case RecordState::empty:
      return;
    case RecordState::accepted:
      ++report.unnumbered;
      break;
    case RecordState::numbered:
      ++report.numbered;
      break;
    case RecordState::submitted:
      ++report.submitted;
      break;
    case RecordState::settled:
      ++report.settled;
      return;
  }
  if (record.view.lane.value < report.lanes.size())
    ++report.lanes[record.view.lane.value].unsettled;
}

struct DrainLane {
  handoff::HandOff hand_off{1};
  handoff::Arrow<loops::WriterJob> to_writer;
  handoff::Arrow<loops::WriterReport> from_writer;
  handoff::LaneCounters counters;
  std::unique_ptr<loops::LaneLoop> loop;
};

}  // namespace

JournalReport inspect_journal(const std::string& path) {
  const journal::JournalFile file{path, journal::ReadOnly{}};
  const journal::JournalHeader& header = file.header();
  JournalReport report{.path = path,
                       .version = header.version,
                       .instance = header.instance,
                       .size_bytes = header.size_bytes,
                       .segments = file.data().size() / core::segment_bytes,
                       .in_use = file.is_in_use(),
                       .lanes = {},
                       .topics = {}};
  for (std::uint32_t lane = 0; lane < header.lanes; ++lane) {
    report.lanes.push_back(
        {.lane = lane, .next_seq = std::max<std::uint64_t>(1, header.lane[lane].next_seq)});
  }
  for (const journal::TopicSlot& topic : header.topic) {
    if (topic.name_bytes == 0) break;
    report.topics.emplace_back(topic.name.data(), topic.name_bytes);
  }
  for (std::size_t i = 0; i < report.segments; ++i) {
    journal::SegmentWalk walk{file.data().subspan(i * core::segment_bytes, core::segment_bytes)};
    while (const auto record = walk.next())
      count(report, *record);
    if (walk.ended_torn()) ++report.torn;
  }
  return report;
}

DrainResult drain_journal(const std::string& path, const Config& config,
                          std::chrono::milliseconds within,
                          const std::function<void(std::uint64_t)>& progress) {
  constexpr std::chrono::milliseconds tell_every{100};
  constexpr std::chrono::microseconds park{200};
  const auto begun = std::chrono::steady_clock::now();
  const auto violated = core::texts_of(core::violations(config, {.postgres = true}));
  if (!violated.empty()) throw ConfigError{violated};
  // Opening makes a file that is missing; a drain wants one that is there.
  static_cast<void>(journal::JournalFile{path, journal::ReadOnly{}});
  runtime::CallbackLog log{config};
  journal::Journal journal{path, 0};
  journal::Recovered recovered = journal::recover(journal);
  handoff::TopicDirectory topics;
  NoBrokers brokers;
  std::vector<std::unique_ptr<DrainLane>> lanes;
  std::vector<loops::WriterLane> writer_lanes;
  for (std::uint16_t i = 0; i < journal.lanes(); ++i) {
    auto lane = std::make_unique<DrainLane>();
    lane->loop = std::make_unique<loops::LaneLoop>(
        core::LaneIndex{i}, loops::LaneSettings{.spill_forced = true},
        loops::LaneWiring{.journal = journal,
                          .hand_off = lane->hand_off,
                          .to_writer = lane->to_writer,
                          .from_writer = lane->from_writer,
                          .topics = topics,
                          .brokers = brokers,
                          .counters = lane->counters,
                          .log = log},
        std::move(recovered.lanes[i]));
    writer_lanes.push_back({.jobs = lane->to_writer, .reports = lane->from_writer});
    lanes.push_back(std::move(lane));
  }
  postgres::PgOutbox store{runtime::pg_outbox_settings(config, journal.instance()), log};
  redis::RedisSender wakeups{runtime::redis_settings(config), log};
  handoff::WriterCounters counters;
  loops::WriterLoop writer{
      {.unix_time_offset = runtime::unix_time_offset(), .seed = journal.instance().value},
      {.journal = journal,
       .store = store,
       .wakeups = wakeups,
       .counters = counters,
       .log = log,
       .on_dead_letter = config.on_dead_letter},
      writer_lanes};

  const auto left = [&lanes, &recovered] {
    std::uint64_t freed = 0;
    for (const auto& lane : lanes)
      freed += lane->counters.freed.get();
    return recovered.records - freed;
  };
  auto told_at = begun;
  while (left() != 0 && std::chrono::steady_clock::now() - begun < within) {
    std::size_t work = 0;
    for (const auto& lane : lanes)
      work += lane->loop->step(runtime::now());
    work += writer.step(runtime::now());
    if (work == 0) std::this_thread::sleep_for(park);
    if (progress && std::chrono::steady_clock::now() - told_at >= tell_every) {
      told_at = std::chrono::steady_clock::now();
      progress(left());
    }
  }
  return {.found = recovered.records, .spilled = recovered.records - left(), .left = left()};
}

}  // namespace spillway
