// tools/verify/audit.hpp: judges a topic, the outbox and the dead letters against the promises.
//
//   accept counts ─► outbox rows, dead letters ─► messages of the topic ─► accept counts ─►
//   finish()
//
// In that order: a row is deleted only after Kafka's ack, so whoever looks at the outbox first and
// at Kafka later meets every record at least once. Messages of one partition come in offset order,
// partitions in any.
//
// Two identities are kept for each record, its position and the tag in its payload (run, publisher,
// n), and neither is trusted alone: one without the other is a finding. A foreign payload has its
// position only. Of its content 24 bits are kept: two records under one position are told apart by
// their tags, exactly; a copy that has tag and position of another and is not its equal passes for
// one with a chance of 1 in 16 million, and with accept logs not even then.
//
// Memory: 4 to 5 bytes for each record, 16 for each (publisher, key), 24 for each repeat, 48 for
// each row.
//
// With accept logs it judges contents, and the order of calls, too; they are mapped, not copied.
//
// It reads nothing and knows no clock; kafka_source, outbox_source and accept_counts feed it, and
// judge_history what a test has in memory.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "verify/accepts.hpp"
#include "verify/decode.hpp"
#include "verify/findings.hpp"
#include "verify/key_table.hpp"
#include "verify/packed_word.hpp"
#include "verify/slot_table.hpp"

namespace spillway::verify {

struct AuditScope {
  std::string topic;
  /// Judge the tags of this run only. Nothing: of every run.
  std::optional<std::uint64_t> run = {};
  /// Above it the audit gives up: no verdict.
  std::size_t memory_bytes_max = std::size_t{512} << 20;
  /// Number 1 and on, where records of a stream go to several topics.
  std::vector<std::string> other_topics = {};
  /// Nothing but that run publishes to the topics: a record without its tag is an invented one.
  bool exclusive = false;
  /// Every topic of every stream is given, so a number that is nowhere is a gap.
  bool whole_streams = false;
  /// By topic: how many partitions, where murmur2 of the key picks one. 0 or missing: not known.
  std::vector<std::uint32_t> partitions_by_key = {};
};

/// A row of the outbox, or a dead letter.
struct StoredRecord {
  std::uint16_t topic = 0;  ///< Its number in AuditScope.
  Position position;
  bool held = false;
  bool marked = false;
  std::uint64_t renumbered_from = 0;
};

/// Something after which copies are owed an excuse: a fatal producer error, a killed process, a
/// lease that moved; and the numbers of the stream that it can have made ambiguous.
struct ResendCause {
  Mark mark = Mark::none;
  std::uint64_t instance = 0;
  std::uint16_t lane = 0;
  std::uint64_t first_seq = 1;
  std::uint64_t last_seq = std::numeric_limits<std::uint64_t>::max();
};

class Audit {
 public:
  explicit Audit(AuditScope scope);

  /// How many of each publisher's envelopes were accepted, at least: read before anything else.
  void expect_accepted(std::vector<std::uint64_t> counts) { accepted_min_ = std::move(counts); }
  /// In place of the counts, and before anything else; `calls` outlive the audit.
  void expect(const AcceptLog& log);
  /// Every instance, how many lanes it had at most, and how often that number was changed. Never
  /// called: any may be, and a key may move.
  void expect_instance(std::uint64_t instance, std::uint16_t lanes, std::uint64_t changes) {
    lanes_[instance] = {.count = lanes, .changes = changes};
  }
  /// Every cause that there was. Never called: every mark is believed.
  void expect_causes(std::vector<ResendCause> causes) { causes_ = std::move(causes); }

  void add_row(const StoredRecord& stored, const RecordReader& record);
  void add_dead_letter(const StoredRecord& stored, const RecordReader& record);
  /// What a journal still holds. seq 0: it has no number yet.
  void add_unsettled(const StoredRecord& stored, const RecordReader& record);
  void add_message(Place place, const RecordReader& record);
  /// The counts once more, after everything else: at most so many, and one that was not counted
  /// yet.
  void expect_at_most(std::vector<std::uint64_t> counts) { accepted_max_ = std::move(counts); }

  /// Something that keeps the audit from a verdict, unless it finds a violation.
  void doubt(std::string why) { result_.doubts.push_back(std::move(why)); }
  /// The input is not what it should be: nothing found in it counts.
  void refuse(std::string why) { result_.refusals.push_back(std::move(why)); }

  [[nodiscard]] std::uint64_t messages() const noexcept { return result_.messages; }
  /// Once, at the end.
  [[nodiscard]] AuditResult finish();

 private:
  static constexpr std::uint8_t delivered = 1;
  static constexpr std::uint8_t first_marked = 2;  // the first copy met
  static constexpr std::uint8_t some_marked = 4;   // any copy
  static constexpr std::uint8_t waiting = 8;
  static constexpr std::uint8_t dead = 16;
  static constexpr std::uint8_t placed = 32;      // number and index are set
  static constexpr std::uint8_t replaced = 64;    // its record was renumbered
  static constexpr std::uint8_t unsettled = 128;  // in a journal
  static constexpr unsigned print_bits = 24;

  [[nodiscard]] static bool is_somewhere(PackedWord word) noexcept {
    return word.has(delivered) || word.has(waiting) || word.has(dead) || word.has(unsettled);
  }

  struct Stream {
    std::uint64_t instance = 0;
    std::uint16_t lane = 0;
    SlotTable seqs{print_bits};          // where the first copy met is, and a print of its content
    std::vector<std::uint64_t> highest;  // seq of a first occurrence, by partition
    std::uint64_t last = 0;              // of all its numbers
  };
  struct PublisherLog {
    std::uint64_t run = 0;
    std::uint32_t publisher = 0;
    std::uint64_t end = 0;  // above every n met
    SlotTable records{0};   // seq and stream of the first copy met
    std::span<const Accept> calls;
    bool has_calls = false;
  };
  struct StreamSeq {
    std::uint16_t stream = 0;
    std::uint64_t seq = 0;
    friend constexpr auto operator<=>(const StreamSeq&, const StreamSeq&) noexcept = default;
  };
  struct TagRef {
    std::uint32_t log = 0;
    std::uint64_t n = 0;
  };
  struct Repeat {
    std::uint64_t number = 0;  // n, or seq of a foreign record
    std::uint64_t owner = 0;   // index of its log, or of its stream with `foreign_owner`
    PackedWord at;             // offset, partition; first_marked: this copy is marked
  };
  struct Row {
    StreamSeq position;
    std::optional<TagRef> tag;
    std::uint64_t key = 0;  // its entry in keys_; 0: it has no key
  };
  struct Renumbered {
    std::uint64_t from = 0;
    bool foreign = false;
  };
  struct Lanes {
    std::uint16_t count = 0;
    std::uint64_t changes = 0;
  };
  // A record without a key, behind a later one: no finding if it has a copy in another partition.
  struct Unkeyed {
    Kind kind = Kind::reordered_key;
    Place place;
    StreamSeq at;
    std::optional<TagRef> tag;
    std::string story;
  };
  struct NumberedCall {
    StreamSeq first;  // the number under which it was refused, or `at`
    StreamSeq at;
    TagRef tag;
  };
  static constexpr std::uint64_t foreign_owner = std::uint64_t{1} << 63U;

  [[nodiscard]] std::optional<TagRef> tag_of(const RecordReader& record);
  [[nodiscard]] std::optional<StreamSeq> ref_of(const Position& position);
  [[nodiscard]] std::uint16_t number_of(Place place);
  [[nodiscard]] Place place_of(PackedWord first) const;
  [[nodiscard]] const std::string& name_of_topic(std::uint16_t topic) const;
  [[nodiscard]] std::optional<Row> store(const StoredRecord& stored, const RecordReader& record,
                                         std::uint8_t flag);
  void keep_repeat(Repeat repeat, Place place, const RecordReader& record);
  [[nodiscard]] bool note_position(StreamSeq at, std::optional<TagRef> tag, Place place,
                                   const RecordReader& record);
  [[nodiscard]] bool note_tag(TagRef tag, std::optional<StreamSeq> at, Place place,
                              const RecordReader& record);
  void check_content(StreamSeq at, CodedSlot& slot, std::optional<TagRef> tag,
                     const RecordReader& record, std::optional<Place> place);
  void check_name(TagRef tag, CodedSlot& slot, StreamSeq at, std::optional<Place> place);
  void judge_stream_order(StreamSeq at, std::optional<TagRef> tag, Place place,
                          const RecordReader& record);
  void judge_tag(std::optional<TagRef> tag, std::optional<StreamSeq> at, std::uint16_t topic,
                 std::optional<Place> place, const RecordReader& record);
  void judge_partition(std::optional<StreamSeq> at, Place place, const RecordReader& record);
  void judge_mark(StreamSeq at, Place place, const RecordReader& record);
  void judge_lane(StreamSeq at, Place place, const RecordReader& record);
  void judge_unkeyed();
  void judge_gaps();
  void judge_call_order();
  [[nodiscard]] std::optional<NumberedCall> next_numbered(std::uint32_t log,
                                                          std::uint64_t from) const;
  void judge_cause_and_effect(std::uint16_t stream, std::span<const std::uint32_t> logs,
                              std::span<const NumberedCall> strays);
  void judge_calls(std::size_t log);
  void note_what_is_not_judged();
  void judge_key_order(TagRef tag, std::optional<StreamSeq> at, Place place,
                       const RecordReader& record);
  void judge_repeats();
  void judge_rows();
  void judge_dead_letters();
  void judge_presence();
  void judge_publisher(std::size_t log, std::uint64_t accepted_min, std::uint64_t accepted_max);
  void report_lost(std::size_t log, std::uint64_t n, std::uint64_t count);
  void find_repeats_under_two_seqs();
  [[nodiscard]] std::optional<std::uint64_t> sole_run() const;
  [[nodiscard]] StreamSeq root_of(StreamSeq at) const;
  [[nodiscard]] PackedWord position_at(StreamSeq at) const;
  [[nodiscard]] PackedWord record_at(TagRef tag) const;
  void watch_memory();

  void found(Kind kind, std::optional<Place> place, std::optional<StreamSeq> position,
             const std::function<std::string()>& story, std::uint64_t count = 1,
             std::optional<TagRef> tag = std::nullopt);
  [[nodiscard]] std::string text_of(StreamSeq at) const;
  [[nodiscard]] std::string text_of(Place place) const;
  [[nodiscard]] std::string text_of(TagRef tag) const;
  [[nodiscard]] std::string whereabouts(StreamSeq at) const;
  [[nodiscard]] std::string whereabouts(TagRef tag) const;

  AuditScope scope_;
  AuditResult result_;
  std::deque<Stream> streams_;
  std::map<std::pair<std::uint64_t, std::uint16_t>, std::uint16_t> stream_index_;
  std::deque<PublisherLog> logs_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::uint32_t> log_index_;
  std::set<std::uint64_t> logged_runs_;  // every publisher of these has an accept log
  KeyTable keys_;
  std::vector<Repeat> repeats_;
  std::vector<Row> rows_;
  std::vector<std::pair<Row, bool>> dead_letters_;  // and whether it is marked
  std::map<StreamSeq, Renumbered> renumbered_;
  std::map<std::pair<std::uint16_t, std::uint32_t>, std::uint16_t> partition_index_;
  std::vector<std::pair<std::uint16_t, std::uint32_t>> partitions_;  // topic, partition
  std::optional<Place> last_place_;  // the partition that number_of() was asked for last
  std::uint16_t last_number_ = 0;
  KeyTable lane_of_key_;
  std::map<std::uint64_t, Lanes> lanes_;  // of each instance
  std::vector<Unkeyed> unkeyed_;
  std::optional<std::vector<ResendCause>> causes_;
  std::uint64_t calls_unanswered_ = 0;
  std::uint64_t calls_ = 0;
  std::optional<std::vector<std::uint64_t>> accepted_min_;
  std::optional<std::vector<std::uint64_t>> accepted_max_;
  bool full_ = false;
};

}  // namespace spillway::verify
