// tools/verify/history.hpp: a run that a test has in memory: all that was seen of it from outside.
//
// Topics, outbox, dead letters and the publishers' logs are always there. What else was watched is
// optional: what is missing is not judged. All times are nanoseconds of one clock.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "verify/accepts.hpp"
#include "verify/audit.hpp"
#include "verify/decode.hpp"
#include "verify/findings.hpp"

namespace spillway::verify {

struct RawHeader {
  std::string name = {};
  std::optional<std::string> value = {};
  friend bool operator==(const RawHeader&, const RawHeader&) = default;
};

/// As Kafka has it: Spillway's own headers are among the others.
struct RawRecord {
  std::optional<std::string> key = {};
  std::optional<std::string> payload = {};
  std::vector<RawHeader> headers = {};
};
/// Reads `record`, which outlives the result.
[[nodiscard]] RecordReader read(const RawRecord& record) noexcept;

struct LoggedMessage {
  std::uint64_t offset = 0;
  RawRecord record = {};
};
struct PartitionLog {
  std::uint32_t partition = 0;
  std::uint64_t first_offset = 0;  ///< Above 0: retention has removed what was before.
  std::uint64_t end_offset = 0;    ///< Fixed before anything was read.
  std::uint64_t read_to = 0;       ///< Where the reader was when it ended.
  std::vector<LoggedMessage> messages = {};
};
struct TopicLog {
  std::string name = {};
  std::uint32_t partitions = 1;
  bool by_key = false;  ///< murmur2 of the key picks the partition.
  std::vector<PartitionLog> logs = {};
};

/// A row of the outbox, a dead letter, or a record that a journal still holds.
struct StoredCopy {
  std::string topic = {};
  Position position = {};  ///< In a journal the seq may be 0: not numbered yet.
  bool held = false;
  bool marked = false;
  std::uint64_t renumbered_from = 0;
  RawRecord record = {};   ///< Without Spillway's headers.
  std::string error = {};  ///< Of a dead letter.
};

struct PublisherCalls {
  std::uint32_t publisher = 0;
  std::uint64_t instance = 0;
  std::uint64_t begun = 0;
  std::vector<Accept> calls = {};
};

/// The pipeline's own counters, summed over the lives of an instance.
struct Counters {
  std::uint64_t accepted = 0;
  std::uint64_t delivered = 0;
  std::uint64_t spilled = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t relayed = 0;
  std::uint64_t depth = 0;
  std::uint64_t relay_dead_lettered = 0;
};

struct Life {
  std::uint64_t opened_ns = 0;
  std::uint64_t ended_ns = 0;
  /// What close() said; nothing: the process was killed.
  std::optional<bool> closed_ok = {};
  std::uint64_t in_flight_at_close = 0;
};
struct InstanceHistory {
  std::uint64_t id = 0;
  std::uint16_t lanes = 1;         ///< At most, at any time.
  std::uint64_t lane_changes = 0;  ///< How often the number of lanes was changed.
  std::vector<Life> lives = {};
  std::optional<Counters> counters = {};
};

enum class Outcome : std::uint8_t { delivered, spilled, dead_lettered };
struct OutcomeReport {
  RecordName record = {};
  Outcome outcome = Outcome::delivered;
  std::uint64_t at_ns = 0;
};

/// Numbers of one stream, both ends included.
struct SeqRange {
  std::uint64_t instance = 0;
  std::uint16_t lane = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};
/// A COMMIT that wrote rows had returned.
struct CommitEvent {
  SeqRange rows = {};
  bool held = false;
  std::uint64_t at_ns = 0;
};
/// The held rows of a stream were resolved.
struct ReleaseEvent {
  std::uint64_t instance = 0;
  std::uint16_t lane = 0;
  std::uint64_t at_ns = 0;
};
struct TokenEvent {
  std::size_t commit = 0;  ///< The one that it tells of: its place in the list.
  std::uint64_t at_ns = 0;
};
/// Kafka answered for a row, whoever had sent it.
struct AckEvent {
  Position position = {};
  bool refused = false;  ///< For good.
  std::uint64_t at_ns = 0;
};
struct DeleteEvent {
  SeqRange rows = {};
  std::uint64_t at_ns = 0;
};
struct LeaseEvent {
  std::uint64_t instance = 0;
  std::uint16_t lane = 0;
  std::uint32_t relay = 0;
  std::uint64_t from_ns = 0;
  std::uint64_t until_ns = 0;
};
struct ReadEvent {
  SeqRange rows = {};
  std::uint32_t relay = 0;
  std::uint64_t at_ns = 0;
};
enum class LaneState : std::uint8_t { direct, spilling, returning, recalling };
[[nodiscard]] std::string_view name_of(LaneState state) noexcept;
struct LaneChange {
  std::uint64_t instance = 0;
  std::uint16_t lane = 0;
  std::optional<LaneState> from = {};  ///< Nothing: the lane was opened in `to`.
  LaneState to = LaneState::direct;
  std::uint64_t at_ns = 0;
};
struct FaultEvent {
  std::string what = {};
  std::uint64_t from_ns = 0;
  std::uint64_t until_ns = 0;
};
/// After a fault: how long until the outbox was empty, and how long it might take.
struct DrainEvent {
  std::uint64_t healed_ns = 0;
  std::uint64_t emptied_ns = 0;
  std::uint64_t backlog_rows = 0;
  double drained_per_second = 0;
  double arriving_per_second = 0;
};

/// Who wrote, read and removed rows. All of it or nothing: each is judged by the others.
struct OutboxLog {
  std::vector<CommitEvent> commits = {};
  std::vector<ReleaseEvent> releases = {};
  std::vector<TokenEvent> tokens = {};
  std::vector<AckEvent> acks = {};
  std::vector<DeleteEvent> deletes = {};
  std::vector<LeaseEvent> leases = {};
  std::vector<ReadEvent> reads = {};
};

struct History {
  std::uint64_t run = 0;
  std::vector<TopicLog> topics = {};
  std::vector<PublisherCalls> publishers = {};
  std::vector<InstanceHistory> instances = {};
  std::vector<StoredCopy> outbox = {};
  std::vector<StoredCopy> dead_letters = {};
  std::vector<StoredCopy> journals = {};  ///< What is not settled.

  std::optional<std::vector<ResendCause>> causes = {};
  std::optional<std::vector<OutcomeReport>> outcomes = {};
  std::optional<OutboxLog> outbox_log = {};
  std::optional<std::vector<LaneChange>> lane_changes = {};
  std::optional<std::vector<FaultEvent>> faults = {};
  std::uint64_t trip_within_ns = 2'000'000'000;  ///< A lane may leave Kafka so long after a fault.
  std::optional<std::vector<DrainEvent>> drains = {};
  std::optional<std::uint64_t> call_ns_max = {};  ///< What publish() may take.
};

/// Judges all of it.
[[nodiscard]] AuditResult judge(const History& history);

}  // namespace spillway::verify
