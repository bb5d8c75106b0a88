// src/loops/writer_link.hpp: a lane's end of the arrows to and from the outbox writer.
//
// Knows what was asked and not yet reported, how much more may be asked, and whether the stream
// has, or may have, rows in the outbox. It decides nothing about records; lane_loop.cpp does.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/ids.hpp"
#include "core/ring_queue.hpp"
#include "core/time.hpp"
#include "handoff/arrow.hpp"
#include "journal/journal.hpp"
#include "loops/writer_messages.hpp"

namespace spillway::loops {

/// How much a lane asks of the writer before the first answer.
struct SpillCredit {
  std::size_t rows_max = 4'096;
  std::size_t bytes_max = std::size_t{8} << 20;
};

/// A job that was sent and is not yet reported.
struct AskedJob {
  JobKind kind = JobKind::row;
  bool held = false;
  core::ResendCause resend = core::ResendCause::none;
  core::RecordOffset record;
  core::Seq seq;
  core::Stamp stamp;
  std::size_t bytes = 0;
  std::size_t window_index = 0;  ///< Of a held row: its place in the lane's window.
};

class WriterLink {
 public:
  WriterLink(core::LaneIndex lane, SpillCredit credit, journal::Journal& journal,
             handoff::Arrow<WriterJob>& to_writer, handoff::Arrow<WriterReport>& from_writer);

  void send_row(const AskedJob& row);
  void send_dead_letter(const AskedJob& letter, const char* error);
  void send_release(std::unique_ptr<const ReleaseOrder> order);

  /// Credit for one more row, Postgres has been asked about the stream if need be, and no
  /// withdrawal is under way.
  [[nodiscard]] bool may_send_row() const noexcept;

  /// A withdrawal could make the outbox untouched again: no row of this episode was COMMITted.
  [[nodiscard]] bool could_withdraw() const noexcept;
  /// Asks for the rows back, at most every 50 ms. False: not yet again.
  bool withdraw(core::Instant now);
  [[nodiscard]] bool is_withdrawing() const noexcept { return withdrawing_; }

  /// Notes what it says of the stream; whose jobs it speaks of is for the caller to pop.
  [[nodiscard]] std::optional<WriterReport> next_report();
  [[nodiscard]] AskedJob pop_done();
  [[nodiscard]] AskedJob pop_withdrawn();
  [[nodiscard]] std::size_t asked() const noexcept { return asked_.size(); }

  /// No row of the stream is, or may be, in the outbox.
  [[nodiscard]] bool outbox_untouched() const noexcept { return !touched_; }
  /// Everything asked is reported, and the relay has passed every row.
  [[nodiscard]] bool outbox_drained() const noexcept;
  /// Forgets the rows of the past: the lane is direct.
  void begin_anew();
  /// Rows asked for, or written and not relayed; an upper bound.
  [[nodiscard]] std::size_t backlog_rows() const noexcept;
  [[nodiscard]] core::Seq written_through() const noexcept { return written_through_; }
  [[nodiscard]] core::Seq relayed_through() const noexcept { return relayed_through_; }
  /// The stamp of the oldest record that is not held and not safe until its job is done.
  [[nodiscard]] std::optional<core::Stamp> oldest_asked() const noexcept;

 private:
  void touch();

  core::LaneIndex lane_;
  SpillCredit credit_;
  journal::Journal& journal_;
  handoff::Arrow<WriterJob>& to_writer_;
  handoff::Arrow<WriterReport>& from_writer_;

  core::RingQueue<AskedJob> asked_{1'024};
  std::size_t asked_rows_ = 0;
  std::size_t asked_bytes_ = 0;

  bool touched_;                    // in the journal's header too: a later process must know
  bool inherited_;                  // touched by a former process: only Postgres knows the rest
  bool stream_known_;               // Postgres has said what it has
  std::size_t rows_committed_ = 0;  // of this episode
  core::Seq first_row_;             // of this episode
  core::Seq written_through_;
  core::Seq relayed_through_;

  bool withdrawing_ = false;
  core::Instant withdrawn_at_{};
};

}  // namespace spillway::loops
