// tools/verify/findings.hpp: what an audit says in the end.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verify/promises.hpp"

namespace spillway::verify {

/// How a promise can be seen to be broken; promises_of() says which.
enum class Kind : std::uint8_t {
  lost,                  ///< Accepted, and neither in Kafka nor in the outbox nor a dead letter.
  reordered_key,         ///< A publisher's first occurrences of one key do not ascend by n.
  reordered_stream,      ///< A stream's first occurrences in a partition do not ascend by seq.
  overtaken,             ///< Still in the outbox while a later one of its key is in Kafka.
  duplicate_unmarked,    ///< More copies than 1 + those marked.
  without_position,      ///< No `spillway-position`, a broken one, or two that differ.
  position_shared,       ///< One position on two different records.
  record_renamed,        ///< One record under two positions, and no `spillway-renumbered` says so.
  key_in_two_places,     ///< One key in two partitions.
  never_accepted,        ///< In Kafka, though its publisher was never told "accepted".
  damaged,               ///< A payload of `spillway load` that is not as it was written.
  dead_and_delivered,    ///< A dead letter that is in Kafka, and nothing marked explains it.
  dead_and_waiting,      ///< A dead letter that is in the outbox too.
  altered,               ///< Topic, key, payload or headers are not those that were accepted.
  misplaced,             ///< In a partition that is not its key's.
  copy_elsewhere,        ///< A copy in another partition than the first: a filter lets both pass.
  unknown_stream,        ///< An instance or a lane that there is not.
  gap_in_stream,         ///< A number below the stream's last that is nowhere.
  mark_unfounded,        ///< A mark whose cause nothing has recorded.
  key_on_two_lanes,      ///< A key went to another lane while its old lane's stream went on.
  renumbered_calls,      ///< A publisher's calls were numbered in another order than it made them.
  effect_before_cause,   ///< A call that had returned is numbered after one that began later.
  miscounted,            ///< A counter that is not what the records say, or not the sum of others.
  untrue_outcome,        ///< Reported delivered, spilled or dead-lettered, and it is not so.
  slow_call,             ///< publish() took longer than its budget.
  early_token,           ///< A wakeup token before the COMMIT that it tells of.
  wrong_state,           ///< A change of state that the lane may not make.
  returned_early,        ///< Direct while rows of the stream were left.
  held_row_read,         ///< A relay took rows of a stream with held rows and a living owner.
  baseless_dead_letter,  ///< A dead letter without an error, or with one that a retry heals.
  lease_shared,          ///< Two relays held one stream's lease at a time.
  read_without_lease,    ///< A relay read rows of a stream whose lease it did not hold.
  deleted_unacked,       ///< A row was deleted before Kafka acked it and all rows before it.
  needless_spill,        ///< A lane left Kafka, and no fault had happened.
  drained_late,          ///< After the fault the outbox took longer than it may to be empty.
  dishonest_close,       ///< close() said that all is settled, or how much is not, and erred.
};
inline constexpr std::size_t kinds = 36;

/// A kind breaks one promise, or two.
[[nodiscard]] PromiseSet promises_of(Kind kind) noexcept;

/// As JSON has it: `reordered_key`.
[[nodiscard]] std::string_view name_of(Kind kind) noexcept;
/// As a person reads it: "reordered within a key".
[[nodiscard]] std::string_view title_of(Kind kind) noexcept;

/// Where a message lies in its topic.
struct Place {
  std::uint16_t topic = 0;  ///< Its number in AuditScope.
  std::uint32_t partition = 0;
  std::uint64_t offset = 0;
  friend constexpr auto operator<=>(const Place&, const Place&) noexcept = default;
};

/// A record as its publisher knows it.
struct RecordName {
  std::uint64_t run = 0;
  std::uint32_t publisher = 0;
  std::uint64_t n = 0;
  friend constexpr auto operator<=>(const RecordName&, const RecordName&) noexcept = default;
};

struct Finding {
  std::uint64_t count = 0;
  /// Of the first offender: lowest partition, then lowest offset. Nothing when it lies in no
  /// partition.
  std::optional<Place> place;
  std::string where;     ///< `place` in words, with the topic's name; empty when there is none.
  std::string position;  ///< Of the first offender; empty when it has none.
  std::optional<RecordName> record;  ///< The first offender, where it has a tag.
  std::string story;                 ///< What it is and what it met.
  /// What the logs of the run say of it, in the order of time; empty when there are none.
  std::vector<std::string> timeline;
};

enum class Verdict : std::uint8_t { passed, violated, inconclusive };
[[nodiscard]] std::string_view name_of(Verdict verdict) noexcept;

struct AuditResult {
  std::string topic;
  std::uint64_t messages = 0;
  std::uint64_t records = 0;     ///< Different ones among the messages.
  std::uint64_t relayed = 0;     ///< Messages that came through the outbox.
  std::uint64_t foreign = 0;     ///< Messages without a tag of `spillway load`: judged by position.
  std::uint64_t other_runs = 0;  ///< Messages of runs that were not asked for: judged by position.
  std::uint64_t partitions = 0;
  std::uint64_t streams = 0;
  std::uint64_t publishers = 0;
  std::optional<std::uint64_t> accepted;  ///< Sum of the accept counts, where there are any.
  std::uint64_t unknown = 0;  ///< Delivered, and killed before it was counted as accepted.
  std::uint64_t duplicates_marked = 0;
  std::uint64_t marked_fatal = 0;  ///< Messages marked, by cause.
  std::uint64_t marked_recovery = 0;
  std::uint64_t marked_lease = 0;
  std::uint64_t renumbered = 0;
  std::uint64_t waiting = 0;  ///< Rows in the outbox that a relay has to send.
  std::uint64_t held = 0;     ///< Rows in the outbox whose originals are with a producer.
  std::uint64_t dead_letters = 0;

  std::array<Finding, kinds> findings;
  std::vector<std::string> doubts;  ///< Why there is no verdict, unless something is violated.
  /// Why the input is none: nothing found in it counts.
  std::vector<std::string> refusals;
  /// Why a promise was not judged; empty: it was.
  std::array<std::string, promises> not_judged;
  std::size_t memory_bytes = 0;  ///< What the audit's tables took.

  [[nodiscard]] const Finding& operator[](Kind kind) const noexcept {
    return findings[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] Verdict verdict() const noexcept;
  [[nodiscard]] Judgement judgement(Promise promise) const noexcept;
  /// The kinds found that break it.
  [[nodiscard]] std::vector<Kind> offences(Promise promise) const;
  /// lost, reordered_key + reordered_stream, …: the counts that the table of the demo shows.
  [[nodiscard]] std::uint64_t count(Kind kind) const noexcept { return (*this)[kind].count; }
};

}  // namespace spillway::verify
