// tests/history/copies.hpp: the messages of a history with what their headers say, to find sites
// in.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "history/random.hpp"
#include "verify/history.hpp"

namespace spillway::history {

/// A message: the n-th of a partition.
struct Copy {
  std::size_t topic = 0;
  std::size_t log = 0;
  std::size_t n = 0;
  std::uint64_t offset = 0;
  verify::Position position = {};
  verify::RecordName name = {};
  verify::Mark mark = verify::Mark::none;
  std::uint64_t renumbered_from = 0;
  bool relayed = false;
  std::optional<std::string> key = {};
  std::size_t copies = 1;  ///< Of its record, in all topics.
  bool is_first = true;    ///< In its partition.
  bool stored = false;     ///< It is in the outbox or in a journal too, or a dead letter.

  [[nodiscard]] bool same_partition(const Copy& other) const noexcept {
    return topic == other.topic && log == other.log;
  }
  [[nodiscard]] bool same_stream(const Copy& other) const noexcept {
    return position.instance == other.position.instance && position.lane == other.position.lane;
  }
};

/// In the order of topic, partition and offset.
[[nodiscard]] std::vector<Copy> copies_of(const verify::History& history);

template <class Wanted>
[[nodiscard]] std::optional<Copy> one_copy(const std::vector<Copy>& copies, Random& random,
                                           const Wanted& wanted) {
  std::vector<const Copy*> sites;
  for (const Copy& copy : copies) {
    if (wanted(copy)) sites.push_back(&copy);
  }
  if (sites.empty()) return std::nullopt;
  return *random.one_of(sites);
}

/// Two of `copies` that `wanted` accepts, the first before the second in the list.
template <class Wanted>
[[nodiscard]] std::optional<std::pair<Copy, Copy>> two_copies(const std::vector<Copy>& copies,
                                                              Random& random,
                                                              const Wanted& wanted) {
  // Tried at random, since there are too many pairs to list.
  for (int tries = 0; !copies.empty() && tries < 200; ++tries) {
    const Copy& one = random.one_of(copies);
    const std::size_t index = static_cast<std::size_t>(&one - copies.data());
    const std::size_t reach = std::min<std::size_t>(copies.size() - index, 40);
    if (reach < 2) continue;
    const Copy& other = copies[index + 1 + random.below(reach - 1)];
    if (wanted(one, other)) return std::pair{one, other};
  }
  return std::nullopt;
}

[[nodiscard]] verify::RawRecord& record_of(verify::History& history, const Copy& copy);
[[nodiscard]] const verify::Accept& call_of(const verify::History& history,
                                            const verify::RecordName& name);
[[nodiscard]] bool was_accepted(const verify::History& history, const verify::RecordName& name);
/// Null: it has no such header.
[[nodiscard]] verify::RawHeader* header_of(verify::RawRecord& record, std::string_view name);
void remove_header(verify::RawRecord& record, std::string_view name);
void set_position(verify::RawRecord& record, const verify::Position& position);
/// All copies of the record; the offsets stay empty.
void remove_messages(verify::History& history, const std::set<verify::RecordName>& names);
void remove_message(verify::History& history, const Copy& copy);
/// Behind the message at `n`; those behind it get the next offsets.
void insert_behind(verify::PartitionLog& log, std::size_t n, verify::RawRecord record);
void append(verify::PartitionLog& log, verify::RawRecord record);
[[nodiscard]] verify::PartitionLog& log_of(verify::History& history, const Copy& copy);
/// The highest seq of a stream, wherever it is.
[[nodiscard]] std::uint64_t last_seq(const verify::History& history, std::uint64_t instance,
                                     std::uint16_t lane);

}  // namespace spillway::history
