// tests/support/sim/sim_service.hpp: a service and a relay, the loops of production, in one thread.
//
// What src/runtime does with threads is done here by step(): publishers append to a real journal,
// lanes and writer run over simulated ports. A service that is destroyed has died: its journal's
// file stays.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "handoff/counters.hpp"
#include "handoff/hand_off.hpp"
#include "handoff/topic_directory.hpp"
#include "journal/journal.hpp"
#include "journal/segment.hpp"
#include "loops/lane_loop.hpp"
#include "loops/relay_loop.hpp"
#include "loops/writer_loop.hpp"
#include "support/record_maker.hpp"
#include "support/recording_log.hpp"
#include "support/sim/mortal_ports.hpp"
#include "support/sim/sim_broker_supply.hpp"
#include "support/sim/sim_outbox.hpp"
#include "support/sim/sim_relay_store.hpp"
#include "support/sim/sim_wakeup.hpp"
#include "support/sim/sim_world.hpp"

namespace spillway::sim {

struct ServiceSettings {
  std::string journal_path;
  std::span<std::byte> journal_memory = {};  ///< Instead of a file, when there is any.
  std::size_t journal_bytes = 5 * core::segment_bytes;
  core::InstanceId instance{0x5157};  ///< Of a new journal: a seed must not meet a random one.
  std::size_t lanes = 1;
  loops::LaneSettings lane;
  loops::WriterSettings writer;
  SimBrokerSettings broker;  ///< Its actor is ignored.
  ActorId first_actor{100};  ///< A hundred numbers from here: others for each life.
  Duration producer_takes = std::chrono::milliseconds{1};
  std::size_t publishers = 1;
  /// Of a segment only so much is used: small ones fill, and come back, all the time.
  std::size_t segment_bytes_used = core::segment_bytes;
  PortWatch* watch = nullptr;
};

/// One publisher: what runtime/publisher does, in steps between which it can be preempted or die.
class SimPublisher {
 public:
  SimPublisher(journal::Journal& journal, std::vector<handoff::HandOff*> hand_offs,
               std::size_t number, std::size_t segment_bytes_used);

  /// Lays the envelope out; false: the journal is full. The key decides the lane.
  bool begin(const std::string& topic, test::EnvelopeText envelope);
  /// `now_ns` is the clock, which was never read twice with the same result.
  void stamp(std::uint64_t now_ns);
  void accept();
  /// Hands it to its lane: publish() returns.
  void hand_over();

  [[nodiscard]] bool is_preempted() const noexcept { return record_ != nullptr; }
  [[nodiscard]] core::RecordOffset last_record() const noexcept { return last_record_; }

 private:
  [[nodiscard]] bool make_room(std::size_t record_bytes);

  journal::Journal& journal_;
  std::vector<handoff::HandOff::Sender> senders_;
  std::size_t number_;
  std::size_t segment_bytes_used_;
  std::optional<journal::SegmentIndex> segment_;
  journal::SegmentWriter appender_;
  std::size_t segment_records_ = 0;
  std::uint64_t last_stamp_ = 0;
  core::RecordHeader* record_ = nullptr;  // begun, not handed over
  bool is_accepted_ = false;
  core::RecordOffset last_record_;
};

class SimService {
 public:
  SimService(World& world, const ServiceSettings& settings);

  /// How much was done.
  std::size_t step();
  std::size_t step_lane(std::size_t lane);
  std::size_t step_writer();

  /// False: the journal is full. By the first publisher.
  bool publish(const std::string& topic, test::EnvelopeText envelope);
  [[nodiscard]] SimPublisher& publisher(std::size_t i) noexcept { return publishers_[i]; }
  void note_accepted() noexcept { ++accepted_; }
  [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_; }

  [[nodiscard]] std::size_t lanes() const noexcept { return lanes_.size(); }
  [[nodiscard]] Life& life() noexcept { return process_.life; }
  [[nodiscard]] bool is_busy() const noexcept { return writer_->is_busy(); }
  [[nodiscard]] journal::Journal& journal() noexcept { return journal_; }
  [[nodiscard]] handoff::LaneCounters& counters(std::size_t lane = 0) noexcept {
    return lanes_[lane]->counters;
  }
  [[nodiscard]] LaneState state(std::size_t lane = 0) noexcept;
  [[nodiscard]] SimBroker& broker(std::size_t lane = 0) noexcept {
    return *lanes_[lane]->brokers.latest();
  }
  [[nodiscard]] SimOutbox& outbox() noexcept { return outbox_; }
  [[nodiscard]] SimWakeupSender& wakeups() noexcept { return wakeups_; }
  [[nodiscard]] testing::RecordingLog& log() noexcept { return log_; }
  [[nodiscard]] const journal::Recovered& recovered() const noexcept { return recovered_; }
  /// In the journal, not settled and read by nobody any more.
  [[nodiscard]] std::uint64_t in_journal() noexcept;
  [[nodiscard]] std::vector<std::string>& dead_letters() noexcept { return dead_letters_; }

 private:
  struct Lane {
    Lane(World& world, Process& process, const SimBrokerSettings& broker, Duration takes)
        : brokers{world, process, broker, takes} {}
    handoff::HandOff hand_off{1'000};
    handoff::Arrow<loops::WriterJob> jobs;
    handoff::Arrow<loops::WriterReport> reports;
    SimBrokerSupply brokers;
    handoff::LaneCounters counters;
    std::optional<loops::LaneLoop> loop;
  };

  void resolve_topics();

  World& world_;
  Process process_;
  testing::RecordingLog log_;
  std::vector<std::string> dead_letters_;
  journal::Journal journal_;
  journal::Recovered recovered_;
  handoff::TopicDirectory topics_;
  SimOutbox outbox_;
  SimWakeupSender wakeups_;
  MortalOutbox mortal_outbox_{process_, outbox_};
  MortalSender mortal_wakeups_{process_, wakeups_};
  handoff::WriterCounters writer_counters_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::optional<loops::WriterLoop> writer_;
  std::vector<SimPublisher> publishers_;
  std::uint64_t last_clock_ns_ = 0;
  std::uint64_t accepted_ = 0;
};

class SimRelay {
 public:
  /// Its producers' actors come from `settings`.
  SimRelay(World& world, const SimRelaySettings& settings, const loops::RelaySettings& loop = {},
           SimBrokerSettings broker = {}, PortWatch* watch = nullptr);

  /// How much was done.
  std::size_t step();
  [[nodiscard]] Life& life() noexcept { return process_.life; }

  [[nodiscard]] loops::RelayLoop& loop() noexcept { return *loop_; }
  [[nodiscard]] handoff::RelayCounters& counters() noexcept { return counters_; }
  [[nodiscard]] SimRelayStore& store() noexcept { return store_; }
  [[nodiscard]] SimBroker& broker() noexcept { return *brokers_.latest(); }
  [[nodiscard]] testing::RecordingLog& log() noexcept { return log_; }

 private:
  void resolve_topics();

  World& world_;
  Process process_;
  testing::RecordingLog log_;
  SimRelayStore store_;
  MortalRelayStore mortal_store_{process_, store_};
  SimWakeupReceiver wakeups_;
  SimBrokerSupply brokers_;
  handoff::TopicDirectory directory_;
  handoff::Arrow<loops::TopicQuestion> questions_;
  std::map<core::TopicIndex, std::string> asked_;
  loops::RelayTopics topics_{directory_, questions_};
  handoff::RelayCounters counters_;
  std::optional<loops::RelayLoop> loop_;
};

}  // namespace spillway::sim
