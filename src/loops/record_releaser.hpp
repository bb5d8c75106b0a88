// src/loops/record_releaser.hpp: gives records' journal space back, a run of one segment at a time.
//
// A segment's count is shared with its publisher and other lanes: one update for a run, not one a
// record.

#pragma once

#include <cstddef>

#include "core/ids.hpp"
#include "handoff/counters.hpp"
#include "journal/journal.hpp"
#include "journal/segment.hpp"

namespace spillway::loops {

class RecordReleaser {
 public:
  RecordReleaser(journal::Journal& journal, handoff::Counter& freed) noexcept
      : journal_{journal}, freed_{freed} {}

  /// The record is settled, and nobody reads it any more.
  void free(core::RecordOffset record) noexcept {
    journal::store_state(journal_.record(record), core::RecordState::settled);
    const journal::SegmentIndex segment = journal_.segment_of(record);
    if (segment.value != segment_.value) flush();
    segment_ = segment;
    ++records_;
  }
  /// At the end of a step.
  void flush() noexcept {
    if (records_ == 0) return;
    journal_.free_records(segment_, records_);
    freed_.add(records_);
    records_ = 0;
  }

 private:
  journal::Journal& journal_;
  handoff::Counter& freed_;
  journal::SegmentIndex segment_;
  std::size_t records_ = 0;
};

}  // namespace spillway::loops
