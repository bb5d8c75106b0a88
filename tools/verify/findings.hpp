// tools/verify/findings.hpp: what an audit says in the end.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::verify {

/// Each is a broken promise.
enum class Kind : std::uint8_t {
  lost,                ///< Accepted, and neither in Kafka nor in the outbox nor a dead letter.
  reordered_key,       ///< A publisher's first occurrences of one key do not ascend by n.
  reordered_stream,    ///< A stream's first occurrences in a partition do not ascend by seq.
  overtaken,           ///< Still in the outbox while a later one of its key is in Kafka.
  duplicate_unmarked,  ///< More copies than 1 + those marked.
  without_position,    ///< No `spillway-position`, a broken one, or two that differ.
  position_shared,     ///< One position on two different records.
  record_renamed,      ///< One record under two positions, and no `spillway-renumbered` says so.
  key_in_two_places,   ///< One key in two partitions.
  never_accepted,      ///< In Kafka, though its publisher was never told "accepted".
  damaged,             ///< A payload of `spillway load` that is not as it was written.
  dead_and_delivered,  ///< A dead letter that is in Kafka, and nothing marked explains it.
  dead_and_waiting,    ///< A dead letter that is in the outbox too.
};
inline constexpr std::size_t kinds = 13;

/// As JSON has it: `reordered_key`.
[[nodiscard]] std::string_view name_of(Kind kind) noexcept;
/// As a person reads it: "reordered within a key".
[[nodiscard]] std::string_view title_of(Kind kind) noexcept;

/// Where a message lies in its topic.
struct Place {
  std::uint32_t partition = 0;
  std::uint64_t offset = 0;
  friend constexpr auto operator<=>(const Place&, const Place&) noexcept = default;
};

struct Finding {
  std::uint64_t count = 0;
  /// Of the first offender: lowest partition, then lowest offset. Nothing when it lies in no
  /// partition.
  std::optional<Place> place;
  std::string position;  ///< Of the first offender; empty when it has none.
  std::string story;     ///< What it is and what it met.
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
  std::size_t memory_bytes = 0;     ///< What the audit's tables took.

  [[nodiscard]] const Finding& operator[](Kind kind) const noexcept {
    return findings[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] Verdict verdict() const noexcept;
  /// lost, reordered_key + reordered_stream, …: the counts that the table of the demo shows.
  [[nodiscard]] std::uint64_t count(Kind kind) const noexcept { return (*this)[kind].count; }
};

}  // namespace spillway::verify
