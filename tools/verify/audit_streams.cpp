// tools/verify/audit_streams.cpp: judgements of a record by its position and its key alone.

#include <algorithm>

#include "verify/audit.hpp"

namespace spillway::verify {

void Audit::judge_partition(std::optional<StreamSeq> at, Place place, const RecordReader& record) {
  const std::optional<Bytes>& key = record.key();
  if (place.topic >= scope_.partitions_by_key.size() || !key) return;
  const std::uint32_t partitions = scope_.partitions_by_key[place.topic];
  if (partitions == 0) return;
  const std::uint32_t right = partition_of(*key, partitions);
  if (right == place.partition) return;
  found(Kind::misplaced, place, at,
        [&] { return "its key belongs to partition " + std::to_string(right); });
}

void Audit::judge_mark(StreamSeq at, Place place, const RecordReader& record) {
  const Stream& stream = streams_[at.stream];
  if (!lanes_.empty()) {
    const auto known = lanes_.find(stream.instance);
    if (known == lanes_.end() || stream.lane >= known->second.count) {
      found(Kind::unknown_stream, place, at, [&] {
        return known == lanes_.end() ? std::string{"there is no such instance"}
                                     : "the instance has " + std::to_string(known->second.count) +
                                           " lanes, counted from 0";
      });
    }
  }
  if (!causes_ || record.mark() == Mark::none || record.mark() == Mark::unknown) return;
  // A renumbered record may have been sent under either number.
  const auto covers = [&](const ResendCause& cause, std::uint64_t seq) {
    return cause.mark == record.mark() && cause.instance == stream.instance &&
           cause.lane == stream.lane && cause.first_seq <= seq && seq <= cause.last_seq;
  };
  const bool is_founded = std::ranges::any_of(*causes_, [&](const ResendCause& cause) {
    return covers(cause, at.seq) ||
           (record.renumbered_from() != 0 && covers(cause, record.renumbered_from()));
  });
  if (is_founded) return;
  found(Kind::mark_unfounded, place, at,
        [] { return std::string{"nothing happened that its mark could tell of"}; });
}

// A key may change its lane when the number of lanes is changed: once each time.
void Audit::judge_lane(StreamSeq at, Place place, const RecordReader& record) {
  const auto key = record.key_hash();
  const Stream& stream = streams_[at.stream];
  const auto lanes = lanes_.find(stream.instance);
  if (!key || lanes == lanes_.end()) return;
  constexpr std::uint64_t spread = 0xD6E8FEB86659FD93U;
  const std::uint64_t hash =
      (*key ^ (stream.instance + place.topic + 1) * spread) * 0x9E3779B97F4A7C15U;
  const auto known = lane_of_key_.find(hash);
  if (known && known->partition == at.stream) return;
  const std::uint64_t moves = known ? known->n + 1 : 0;
  lane_of_key_.put(hash, {.n = moves, .partition = at.stream});
  if (moves <= lanes->second.changes) return;
  found(Kind::key_on_two_lanes, place, at, [&] {
    return "its key was on lane " + std::to_string(streams_[known->partition].lane) + " before";
  });
}

// Each number up to the last has its record somewhere, or a header that says what replaced it.
void Audit::judge_gaps() {
  for (const auto& [at, renumbered] : renumbered_) {
    streams_[at.stream].seqs.at(renumbered.from).word.set(replaced);
  }
  if (!scope_.whole_streams) return;
  for (std::size_t index = 0; index < streams_.size(); ++index) {
    const Stream& stream = streams_[index];
    std::uint64_t missing = 0;
    std::uint64_t first_missing = 0;
    for (std::uint64_t seq = 1; seq <= stream.last; ++seq) {
      const auto slot = stream.seqs.find(seq);
      if (slot && (slot->print != 0 || slot->word.has(replaced))) continue;
      const std::uint64_t next =
          slot ? seq + 1 : std::min(stream.last + 1, SlotTable::page_end(seq));
      if (missing == 0) first_missing = seq;
      missing += next - seq;
      seq = next - 1;
    }
    if (missing == 0) continue;
    const StreamSeq at{.stream = static_cast<std::uint16_t>(index), .seq = first_missing};
    found(
        Kind::gap_in_stream, {}, at,
        [&] {
          const StreamSeq next{.stream = at.stream, .seq = at.seq + missing};
          return "no record has this number, though the stream goes on to " +
                 std::to_string(stream.last) + "; the one before is " +
                 whereabouts(StreamSeq{.stream = at.stream, .seq = at.seq - 1}) + ", " +
                 text_of(next) + " is " + whereabouts(next);
        },
        missing);
  }
}

}  // namespace spillway::verify
