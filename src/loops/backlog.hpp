// src/loops/backlog.hpp: what publishers handed over, numbered, waiting for Kafka or the outbox.
//
// The only place that gives seqs. While the number of lanes has just changed, it is gated: nothing
// is numbered until every stream of the old number is out of the outbox.

#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "core/ids.hpp"
#include "core/ring_queue.hpp"
#include "core/stamp_merge.hpp"
#include "core/time.hpp"
#include "handoff/hand_off.hpp"
#include "journal/journal.hpp"
#include "journal/recovery.hpp"

namespace spillway::loops {

/// A numbered record that waits.
struct PendingRecord {
  core::RecordOffset record;
  core::Seq seq;
  core::Stamp stamp;
  core::ResendCause resend = core::ResendCause::none;
};

class Backlog {
 public:
  Backlog(core::LaneIndex lane, journal::Journal& journal, handoff::HandOff& hand_off,
          std::vector<journal::RecoveredRecord> recovered);

  /// Numbers what a former process left, unless gated. How many.
  std::size_t number_recovered();
  /// Numbers what was handed over before `now`, unless gated. How many.
  std::size_t number_arrivals(core::Instant now);
  /// A number for a record that had another one: behind all others, and marked as it was.
  void renumber(const PendingRecord& former);
  /// Its new number is in the outbox, if it has one.
  void on_written(core::RecordOffset record) noexcept;
  /// Renumbered, by this process or a former one, and not written yet. They go by the outbox, which
  /// sends them alone: in company a record could be refused again, and nothing would name its first
  /// number.
  [[nodiscard]] std::size_t renumbered_open() const noexcept { return renumbered_open_; }

  [[nodiscard]] bool is_gated() const noexcept { return gated_; }
  void open_gate() noexcept { gated_ = false; }

  [[nodiscard]] bool empty() const noexcept { return pending_.empty(); }
  [[nodiscard]] const PendingRecord& front() const noexcept { return pending_.front(); }
  [[nodiscard]] const PendingRecord& back() const noexcept { return pending_.back(); }
  PendingRecord pop_front() noexcept { return pending_.pop_front(); }
  /// It has a lower seq than all others.
  void push_front(const PendingRecord& record) { pending_.push_front(record); }
  /// They stand in seq order, here and afterwards.
  void put_back(std::span<const PendingRecord> records);

  /// The stamp of the oldest record in here; renumbered ones aside. Nothing when there is none.
  [[nodiscard]] std::optional<core::Stamp> oldest() const noexcept;

 private:
  core::Seq give_seq(core::RecordOffset record);

  core::LaneIndex lane_;
  journal::Journal& journal_;
  handoff::HandOff& hand_off_;
  core::StampMerge merge_;
  core::RingQueue<PendingRecord> pending_{1'024};
  std::vector<journal::RecoveredRecord> recovered_;
  bool gated_;
  core::Seq next_seq_;
  std::size_t renumbered_open_ = 0;
};

}  // namespace spillway::loops
