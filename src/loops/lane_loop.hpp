// src/loops/lane_loop.hpp: one lane: numbers what publishers hand over, feeds Kafka, or the outbox.
//
//   hand-off ──merge, number──► backlog ──direct──► window ──► Broker
//                                  └────spilling──► writer link ──► outbox writer
//
// What the state is, core/lane_states says; this file gathers the facts and does what the state
// means. While the lane holds, the window keeps every record that librdkafka had when feeding
// stopped.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/lane_states.hpp"
#include "core/window.hpp"
#include "handoff/counters.hpp"
#include "handoff/hand_off.hpp"
#include "handoff/topic_directory.hpp"
#include "journal/journal.hpp"
#include "journal/recovery.hpp"
#include "loops/ack_clock.hpp"
#include "loops/backlog.hpp"
#include "loops/hold.hpp"
#include "loops/producer_seat.hpp"
#include "loops/record_releaser.hpp"
#include "loops/spill_pace.hpp"
#include "loops/writer_link.hpp"
#include "ports/broker_supply.hpp"
#include "ports/log.hpp"

namespace spillway::loops {

struct LaneSettings {
  core::LaneLimits limits = {};
  core::WindowLimits window = {};
  SpillCredit credit = {};
  bool spill_forced = false;
  /// A trip that follows the last return within this time is one of a series.
  core::Duration series_gap = std::chrono::seconds{2};
  /// How long a lane spills at least after the second trip of a series; twice as long after each
  /// further one, up to the maximum.
  core::Duration series_spill = std::chrono::milliseconds{1'500};
  core::Duration series_spill_max = std::chrono::seconds{12};
  /// After a return, after a producer's start, and after a report that took longer than
  /// `limits.failover_after`.
  core::Duration relaxed_for = std::chrono::seconds{1};
};

/// What a lane works with; all of it outlives the lane.
struct LaneWiring {
  journal::Journal& journal;
  handoff::HandOff& hand_off;
  handoff::Arrow<WriterJob>& to_writer;
  handoff::Arrow<WriterReport>& from_writer;
  handoff::TopicDirectory& topics;
  ports::BrokerSupply& brokers;
  handoff::LaneCounters& counters;
  ports::Log& log;
};

/// @thread lane
class LaneLoop {
 public:
  /// Begins in `spilling`, which is direct as soon as the producer is warm and no row can be ahead.
  LaneLoop(core::LaneIndex lane, const LaneSettings& settings, const LaneWiring& wiring,
           std::vector<journal::RecoveredRecord> recovered);

  /// Bounded work, no wait; how much was done. `now` was read before the call, and no later load of
  /// this thread may be older than it: everything handed over before `now` is seen.
  std::size_t step(core::Instant now);

  [[nodiscard]] bool is_direct() const noexcept { return state_ == LaneState::direct; }

  /// Gives the producer back; it may owe reports.
  [[nodiscard]] std::unique_ptr<ports::Broker> take_broker() noexcept {
    return producer_.release();
  }

 private:
  void exchange_producer(core::Instant now);
  std::size_t hear_writer();
  void on_job_done(const AskedJob& job);
  void on_job_withdrawn(const AskedJob& job);
  void forget_written();

  std::size_t hear_broker(core::Instant now);
  void on_report(core::InFlight& entry, core::Instant now);
  void close_delivered(core::InFlight& entry);

  void renumber(const core::InFlight& entry);

  void change_state(core::Instant now);
  [[nodiscard]] core::LaneFacts facts() const;
  [[nodiscard]] bool next_topic_is_unknown() const;
  [[nodiscard]] bool owes_outbox() const;
  void note_trip(core::Instant now);
  void enter(LaneState next, const core::LaneFacts& seen, core::Instant now);

  std::size_t feed(core::Instant now);
  enum class Fed : std::uint8_t { gone, stays };
  std::size_t feed_kafka(core::Instant now);
  Fed feed_kafka_one(const PendingRecord& pending, core::Instant now);
  std::size_t feed_outbox(core::Instant now);
  [[nodiscard]] std::size_t room_in_outbox(core::Instant now);

  void ask_rows_back(core::Instant now);

  void hold();
  void take_back_unsent();
  PendingRecord close_unsent(core::InFlight& entry);
  std::size_t resolve_held(core::Instant now);
  void renumber_held();
  void resolve_uncopied();
  void on_released();
  void end_hold();
  void account_copied(core::InFlight& entry);

  void dead_letter(core::RecordOffset record, core::Seq seq, core::Stamp stamp, const char* error);
  void publish_counters(core::Instant now);

  const core::LaneIndex lane_;
  const LaneSettings settings_;
  journal::Journal& journal_;
  handoff::TopicDirectory& topics_;
  handoff::LaneCounters& counters_;
  ports::Log& log_;

  WriterLink writer_;
  RecordReleaser releaser_;
  Backlog backlog_;
  core::Window window_;
  AckClock acks_;
  Hold hold_;
  ProducerSeat producer_;
  std::vector<ports::Report> reports_;  // as many as are heard at once

  LaneState state_ = LaneState::spilling;
  core::Instant state_since_{};
  core::Instant relaxed_until_{};
  core::Duration spill_at_least_{};  // it grows with a series of trips
  bool batch_refused_ = false;
  bool asked_back_ = false;  // the copies, from the writer, before a release is asked for
  unsigned returns_given_up_ = 0;
  SpillPace pace_;
  core::Seq spill_through_;  // it gave up waiting to be direct: what waited goes to the outbox

  core::Instant tripped_at_{};
  bool failing_over_ = false;
  std::optional<core::Instant> kafka_back_at_;
};

}  // namespace spillway::loops
