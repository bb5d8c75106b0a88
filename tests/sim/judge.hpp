// tests/sim/judge.hpp: holds what a simulated world shows against the promises, at each step.
//
// It sees the topics, the tables, the trace and the accept log, and nothing of the loops' own
// accounts. Words and numbers of the promises are those of the design: P1 publisher order, P2
// causal order, P3 stream order, P4 no loss, P5 nothing invented or altered, P6 one record one
// position, P7 gapless seqs, P8 no unexplained duplicate, P9 duplicates are stutters, P11 true
// outcomes, P14 wakeup after COMMIT, P15 states, P16 dead letters, P18 delete only what is acked,
// and the lemma that every sender's runs begin low.
//
// Known, and left out: a record that has been renumbered keeps no order of its key (P1, P2), and
// one that was sent before its renumbering without a word of it may be met under both its
// positions, one of the copies marked (P6). A record whose batch was refused for another one, and
// whose sender (a process, a producer, a relay) died before it heard or could say so, is sent again
// under its old seq, marked, and may come behind later ones (P1, P2, P3, P9, lemma): who sends it
// cannot know. Kafka has noted which records these are.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ports/outbox_store.hpp"
#include "sim/accept_log.hpp"
#include "sim/plan.hpp"
#include "sim/sometimes.hpp"
#include "spillway/metrics.hpp"
#include "support/sim/sim_world.hpp"

namespace spillway::sim {

struct Violation {
  std::string promise;  ///< "P3", "lemma".
  std::string text;
};

class Judge {
 public:
  Judge(World& world, const Plan& plan, const AcceptLog& accepted, Sometimes& sometimes);

  // ---- At the ports, before the effect
  void on_submit(std::uint64_t sender, const ports::Submission& record);
  void on_rows(core::StreamId stream, std::span<const ports::OutboxRow> rows);
  void on_notify(core::InstanceId instance);
  void on_state(core::StreamId stream, LaneState from, LaneState to);
  /// The journal says that the record need not be kept.
  void on_settled(core::StreamId stream, core::Seq seq, RecordId id);

  [[nodiscard]] bool was_adopted(core::InstanceId instance) const noexcept;

  /// After each step: what is new in the topics and the tables.
  void observe();
  /// When everything should have arrived: what is missing. `last_seq`: that each stream gave.
  void finish(const std::map<core::StreamId, core::Seq>& last_seq);

  void break_promise(std::string_view promise, std::string text);
  [[nodiscard]] const std::optional<Violation>& violation() const noexcept { return violation_; }

 private:
  /// What became of one seq.
  struct SeqFacts {
    bool appended = false;
    bool relayed = false;
    bool row = false;    ///< Is or was.
    bool waits = false;  ///< A row that is neither removed nor resolved by a release.
    bool dead = false;
    bool refused = false;        ///< Together with others.
    bool sent_marked = false;    ///< Sent again by one who did not know that, and says so.
    bool replaced = false;       ///< Its record has another seq: a header says so.
    bool must_not_come = false;  ///< A sender has passed over it.
    std::optional<RecordId> record;
    [[nodiscard]] bool is_done() const noexcept { return appended || dead || replaced; }
  };
  struct StreamFacts {
    std::vector<SeqFacts> seqs;  ///< By seq.
    std::uint64_t first_open = 1;
    LaneState state = LaneState::spilling;
    bool adopted = false;
    core::Instant committed_at;
    core::Seq sent_through;
    SeqFacts& at(core::Seq seq);
    /// No lower seq is still to come.
    std::uint64_t lowest_open();
  };
  struct RecordFacts {
    std::uint32_t copies = 0;
    std::uint32_t marked = 0;
    std::uint32_t dead = 0;
    std::uint32_t passed = 0;  ///< A consumer's filter.
    bool has_partition = false;
    std::uint32_t partition = 0;
    bool has_unheard_copy = false;
    std::vector<std::pair<core::StreamId, core::Seq>> positions;
    std::vector<core::Seq> renumbered_from;
  };
  struct KeyOrder {
    std::map<std::uint64_t, std::uint64_t> last_of_publisher;
    std::uint64_t latest_begin = 0;
  };
  using KeyId = std::pair<std::uint32_t, std::pair<std::uint32_t, std::int32_t>>;
  struct PartitionFacts {
    std::size_t seen = 0;
    std::map<core::StreamId, core::Seq> highest;
  };

  /// A later row of the stream is in some partition: a filter might drop it.
  [[nodiscard]] bool is_below_the_highest(core::StreamId stream, core::Seq seq) const;
  /// Its batch was refused, and a later row is in the log, or went down with a producer.
  [[nodiscard]] bool is_overtaken(core::StreamId stream, core::Seq seq);
  void read_trace();
  void on_event(const Event& event);
  void on_appended(const Event& event);
  void on_committed(const Event& event);
  void on_removed(const Event& event);
  void on_released(const Event& event);
  void on_buried(const Event& event);
  void read_topics();
  void on_copy(std::string_view topic, std::uint32_t partition, PartitionFacts& facts,
               const LogRecord& copy);
  [[nodiscard]] static bool is_unheard(const SeqFacts& facts) noexcept;
  void judge_key_order(RecordId id);
  void pass_over(core::StreamId stream, std::uint64_t from, std::uint64_t below);
  [[nodiscard]] bool is_guilty(RecordId id) const;
  [[nodiscard]] std::string say(core::StreamId stream, core::Seq seq) const;
  void note_position(RecordId id, core::StreamId stream, core::Seq seq, core::Seq renumbered_from);
  void judge_copies(RecordId id);
  void finish_records();
  void finish_streams(const std::map<core::StreamId, core::Seq>& last_seq);
  [[nodiscard]] bool are_positions_explained(const RecordFacts& facts) const;

  World& world_;
  const Plan& plan_;
  const AcceptLog& accepted_;
  Sometimes& sometimes_;
  std::optional<Violation> violation_;

  std::map<core::StreamId, StreamFacts> streams_;
  std::vector<RecordFacts> records_;
  std::map<KeyId, KeyOrder> keys_;
  std::vector<std::vector<PartitionFacts>> partitions_;  // by topic
  std::size_t events_read_ = 0;
  core::Instant popped_at_;
  std::map<std::pair<std::uint64_t, core::StreamId>, core::Seq> sent_last_;  // by sender
  std::set<std::pair<core::StreamId, core::Seq>> news_;  // last seqs of batches with ordinary rows
  std::map<core::InstanceId, std::uint64_t> commits_with_news_;
  std::map<core::InstanceId, std::uint64_t> notified_;
};

}  // namespace spillway::sim
