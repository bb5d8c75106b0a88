#include "journal/recovery.hpp"

#include <algorithm>

#include "journal/segment.hpp"

namespace spillway::journal {
namespace {

using core::RecordState;

bool before(const RecoveredRecord& left, const RecoveredRecord& right) noexcept {
  const bool left_numbered = left.seq.value != 0;
  const bool right_numbered = right.seq.value != 0;
  if (left_numbered != right_numbered) return left_numbered;
  return left_numbered ? left.seq < right.seq : left.stamp < right.stamp;
}

// Only what the states promise: a record that is accepted and not numbered may carry an old seq's
// bytes.
RecoveredRecord describe(const Journal& journal, core::RecordOffset at,
                         RecordState state) noexcept {
  const core::RecordHeader& header = journal.record(at);
  return {.record = at,
          .seq = {state == RecordState::accepted ? 0 : header.seq},
          .stamp = {header.stamp},
          .submitted = state == RecordState::submitted};
}

}  // namespace

Recovered recover(Journal& journal) {
  Recovered found;
  std::array<core::Seq, core::lanes_max> highest{};
  const std::size_t topics = journal.topic_count();
  for (std::uint32_t i = 0; i < journal.segment_count(); ++i) {
    const auto memory = journal.memory_of({i});
    std::size_t live = 0;
    SegmentWalk walk{memory};
    while (true) {
      const auto record = walk.next();
      if (!record) break;
      const core::LaneIndex lane = record->view.lane;
      if (lane.value >= core::lanes_max || record->view.topic.value >= topics) {
        ++found.foreign;
        continue;
      }
      const auto at = journal.offset_of(memory.data() + record->offset);
      // A settled record's seq counts too: it may be the last that was given.
      if (record->state != RecordState::accepted) {
        highest[lane.value] = std::max(highest[lane.value], core::Seq{journal.record(at).seq});
      }
      if (record->state == RecordState::settled) continue;
      found.lanes[lane.value].push_back(describe(journal, at, record->state));
      ++live;
    }
    if (walk.ended_torn()) ++found.torn;
    found.records += live;
    journal.adopt_segment({i}, live);
  }
  for (std::uint16_t i = 0; i < core::lanes_max; ++i) {
    std::ranges::sort(found.lanes[i], before);
    const core::LaneIndex lane{i};
    if (highest[i] >= journal.next_seq(lane)) journal.set_next_seq(lane, highest[i].next());
  }
  return found;
}

std::size_t settle_lane_count(Journal& journal, const Recovered& found, std::size_t wanted) {
  const std::size_t before = journal.lanes();
  if (before == wanted) return wanted;
  if (before != 0 && (found.records != 0 || journal.is_relaning())) return before;
  bool touched = false;
  for (std::uint16_t lane = 0; lane < core::lanes_max; ++lane) {
    touched = touched || journal.outbox_touched({lane});
  }
  journal.set_relaning(touched);
  journal.set_lanes(wanted);
  return wanted;
}

}  // namespace spillway::journal
