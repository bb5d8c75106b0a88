// src/journal/recovery.hpp: what a dead process left in its journal, in order.
//
// Finds every record that is accepted and not settled, gives the segments without one back, and
// makes sure that no seq is given twice. Doing it again after a crash in the middle gives the same
// result: it writes nothing but the lanes' next seqs, which only grow.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/ids.hpp"
#include "core/limits.hpp"
#include "journal/journal.hpp"

namespace spillway::journal {

struct RecoveredRecord {
  core::RecordOffset record;
  core::Seq seq;  ///< 0: its number is still to be given.
  core::Stamp stamp;
  bool submitted = false;  ///< Was with librdkafka: may be in Kafka already.
};

struct Recovered {
  /// For each lane: the numbered ones by seq, then the others by stamp.
  std::array<std::vector<RecoveredRecord>, core::lanes_max> lanes;
  std::size_t records = 0;
  std::size_t torn = 0;     ///< Half-written, skipped: publish() had not returned.
  std::size_t foreign = 0;  ///< Of a lane or topic that the header does not know: damaged, skipped.
};

[[nodiscard]] Recovered recover(Journal& journal);

/// The number of lanes that this process has: `wanted`, unless records of a former process, or
/// streams of an older number, still need the former one. A key's records must not be on two lanes
/// at once, so the number changes only between streams; the lanes then wait (`relaning`) if rows of
/// the old streams may be in the outbox.
[[nodiscard]] std::size_t settle_lane_count(Journal& journal, const Recovered& found,
                                            std::size_t wanted);

}  // namespace spillway::journal
