// src/core/window.hpp: the records that are with Kafka's client, in seq order, from submit to
// report.
//
// While a lane is direct, finished records leave at the head. Once it holds, none leaves until the
// release: what came back, and which record has a copy in the outbox, is decided over all of them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/check.hpp"
#include "core/ids.hpp"
#include "core/ring_queue.hpp"
#include "core/time.hpp"
#include "core/verdict.hpp"

namespace spillway::core {

/// A record on its way to Kafka.
struct InFlight {
  RecordOffset record;
  Seq seq;
  Stamp stamp;
  Instant submitted_at;
  std::uint32_t bytes = 0;                 ///< Of the whole record: what it counts in the window.
  ResendCause resend = ResendCause::none;  ///< An earlier sending of it may stand.
  std::optional<DeliveryOutcome> outcome;  ///< Nothing: its report is owed.
  const char* error = "";                  ///< The client's name for the outcome; static.
  bool closed = false;                     ///< Its outcome has been acted on; nothing more to do.
  bool settled = false;                    ///< Delivered, or its copy is COMMITted.
  bool copied = false;                     ///< A copy was handed to the writer.

  /// Of a record whose report is in.
  [[nodiscard]] DeliveryOutcome known_outcome() const noexcept {
    SPILLWAY_CHECK(outcome.has_value());
    return *outcome;
  }
};

struct WindowLimits {
  std::size_t records_max = 20'000;
  std::size_t bytes_max = std::size_t{16} << 20;
};

class Window {
 public:
  explicit Window(WindowLimits limits) noexcept : limits_{limits} {}

  /// One record always fits into an empty window, whatever its size.
  [[nodiscard]] bool has_room_for(std::size_t bytes) const noexcept {
    return open_ == 0 || (open_ < limits_.records_max && open_bytes_ + bytes <= limits_.bytes_max);
  }
  /// The tag that the next add() returns, for a submission made before it.
  [[nodiscard]] std::uint64_t next_tag() const noexcept { return base_ + entries_.size(); }
  /// Seqs ascend, but for renumbered records which come last.
  void add(const InFlight& entry) {
    SPILLWAY_CHECK(!entry.outcome);
    ++open_;
    open_bytes_ += entry.bytes;
    entries_.push_back(entry);
  }

  /// Notes the outcome, and returns the record to act on. Each tag has one report.
  InFlight& on_report(std::uint64_t tag, DeliveryOutcome outcome, const char* error) noexcept {
    SPILLWAY_CHECK(tag >= base_ && tag - base_ < entries_.size());
    InFlight& entry = entries_[tag - base_];
    SPILLWAY_CHECK(!entry.outcome);  // a second report is a bug
    entry.outcome = outcome;
    entry.error = error;
    --open_;
    open_bytes_ -= entry.bytes;
    return entry;
  }

  /// Drops closed records at the head.
  void drop_closed() noexcept;
  /// Drops all; every report must be in.
  void clear() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] InFlight& operator[](std::size_t i) noexcept { return entries_[i]; }

  /// Records without a report.
  [[nodiscard]] std::size_t open() const noexcept { return open_; }
  /// When the oldest of these was submitted. Nothing when all are reported.
  [[nodiscard]] std::optional<Instant> oldest_open_at() noexcept;
  /// The stamp of the oldest record that is neither delivered nor copied. Nothing when all are
  /// safe.
  [[nodiscard]] std::optional<Stamp> oldest_unsettled() noexcept;

 private:
  WindowLimits limits_;
  RingQueue<InFlight> entries_{1'024};
  std::uint64_t base_ = 0;  // tag of entries_[0]
  std::size_t open_ = 0;
  std::size_t open_bytes_ = 0;
  std::size_t first_open_ = 0;       // nothing before it is open
  std::size_t first_unsettled_ = 0;  // nothing before it is unsettled
};

}  // namespace spillway::core
