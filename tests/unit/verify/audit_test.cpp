// tests/unit/verify/audit_test.cpp: the auditor names each broken promise, and is silent otherwise.
//
// A history is a few lines: who published what, where it lies, and what Spillway's headers say of
// it.

#include "verify/audit.hpp"

#include <array>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace spillway::verify {
namespace {

constexpr std::uint64_t instance = 0x00c17f3a22d09e41;

// One envelope of `spillway load`. By default its seq is n + 1, in lane 0.
struct Sent {
  std::uint64_t n = 0;
  std::uint32_t publisher = 0;
  std::uint64_t seq = 0;  // 0: n + 1
  std::string key = "k0";
  std::string mark = {};
  std::uint64_t renumbered_from = 0;
  std::string position = "given";  // another text is taken as it is; empty: no header
  std::string padding = "   ";
  std::uint64_t run = 1;
  std::string foreign = {};  // not empty: the payload
};

class History {
 public:
  explicit History(AuditScope scope = {.topic = "orders", .run = 1}) : audit_{std::move(scope)} {}

  History& accepted(std::vector<std::uint64_t> counts) {
    audit_.expect_accepted(counts);
    audit_.expect_at_most(std::move(counts));
    return *this;
  }

  // Appends to a partition; offsets count up.
  History& message(const Sent& sent, std::uint32_t partition = 0) {
    if (partition >= offsets_.size()) offsets_.resize(partition + 1U);
    with_record(sent, true, [&](const RecordReader& record) {
      audit_.add_message({.partition = partition, .offset = offsets_[partition]++}, record);
    });
    return *this;
  }
  History& row(const Sent& sent, bool held = false) {
    with_record(sent, false,
                [&](const RecordReader& record) { audit_.add_row(stored(sent, held), record); });
    return *this;
  }
  History& dead_letter(const Sent& sent) {
    with_record(sent, false, [&](const RecordReader& record) {
      audit_.add_dead_letter(stored(sent, false), record);
    });
    return *this;
  }

  AuditResult judge() { return audit_.finish(); }

  static std::uint64_t content_of(const Sent& sent) {
    std::uint64_t content = 0;
    with_record(sent, true, [&](const RecordReader& record) { content = record.content(); });
    return content;
  }

 private:
  static std::uint64_t seq_of(const Sent& sent) { return sent.seq == 0 ? sent.n + 1 : sent.seq; }
  static StoredRecord stored(const Sent& sent, bool held) {
    return {.position = {.instance = instance, .lane = 0, .seq = seq_of(sent)},
            .held = held,
            .marked = !sent.mark.empty(),
            .renumbered_from = sent.renumbered_from};
  }
  static void with_record(const Sent& sent, bool in_kafka,
                          const std::function<void(const RecordReader&)>& use) {
    std::array<char, 128> head{};
    std::snprintf(head.data(), head.size(), "run=%016llx publisher=%04u n=%012llu at=%019u ",
                  static_cast<unsigned long long>(sent.run), sent.publisher,
                  static_cast<unsigned long long>(sent.n), 1U);
    const std::string payload = sent.foreign.empty() ? head.data() + sent.padding : sent.foreign;
    RecordReader record{bytes_of(sent.key), bytes_of(payload)};
    const std::string position =
        sent.position == "given"
            ? text_of(Position{.instance = instance, .lane = 0, .seq = seq_of(sent)})
            : sent.position;
    const std::string renumbered = std::to_string(sent.renumbered_from);
    if (in_kafka && !position.empty()) record.take_header("spillway-position", bytes_of(position));
    if (in_kafka && !sent.mark.empty()) record.take_header("spillway-resend", bytes_of(sent.mark));
    if (in_kafka && sent.renumbered_from != 0) {
      record.take_header("spillway-renumbered", bytes_of(renumbered));
    }
    use(record);
  }

  Audit audit_;
  std::vector<std::uint64_t> offsets_;
};

// The kinds found, with their counts, in one line: a test that expects one kind expects no other.
std::string found(const AuditResult& result) {
  std::string text;
  for (std::size_t i = 0; i < kinds; ++i) {
    const auto kind = static_cast<Kind>(i);
    if (result.count(kind) == 0) continue;
    if (!text.empty()) text += ' ';
    text += std::string{name_of(kind)} + '=' + std::to_string(result.count(kind));
  }
  return text.empty() ? "nothing" : text;
}

History clean(std::uint64_t records) {
  History history;
  history.accepted({records});
  for (std::uint64_t n = 0; n < records; ++n)
    history.message({.n = n});
  return history;
}

// ---- Silent
// ---------------------------------------------------------------------------------------

TEST(Audit, PassesACleanHistory) {
  const AuditResult result = clean(10'000).judge();

  EXPECT_EQ(found(result), "nothing");
  EXPECT_EQ(result.verdict(), Verdict::passed);
  EXPECT_EQ(result.records, 10'000U);
  EXPECT_EQ(result.accepted, 10'000U);
}

TEST(Audit, PassesACopyThatIsMarked) {
  const AuditResult result = clean(3).message({.n = 1, .mark = "recovery"}).judge();

  EXPECT_EQ(found(result), "nothing");
  EXPECT_EQ(result.duplicates_marked, 1U);
  EXPECT_EQ(result.marked_recovery, 1U);
}

TEST(Audit, PassesALateAppendBehindTheMarkedCopy) {
  const AuditResult result = History{}
                                 .accepted({2})
                                 .message({.n = 0, .mark = "fatal"})
                                 .message({.n = 1})
                                 .message({.n = 0})
                                 .judge();

  EXPECT_EQ(found(result), "nothing");
  EXPECT_EQ(result.duplicates_marked, 1U);
}

TEST(Audit, PassesWhatIsOnlyInTheOutbox) {
  const AuditResult result =
      History{}.accepted({3}).row({.n = 1}, true).row({.n = 2}).message({.n = 0}).judge();

  EXPECT_EQ(found(result), "nothing");
  EXPECT_EQ(result.held, 1U);
  EXPECT_EQ(result.waiting, 1U);
}

TEST(Audit, PassesADeadLetterInAGap) {
  const AuditResult result =
      History{}.accepted({3}).dead_letter({.n = 1}).message({.n = 0}).message({.n = 2}).judge();

  EXPECT_EQ(found(result), "nothing");
  EXPECT_EQ(result.dead_letters, 1U);
}

TEST(Audit, PassesARecordThatWasKilledBeforeItWasCounted) {
  const AuditResult result = clean(5).accepted({4}).judge();

  EXPECT_EQ(found(result), "nothing");
  EXPECT_EQ(result.unknown, 1U);
}

TEST(Audit, PassesARenumberedRecord) {
  const AuditResult result = History{}
                                 .accepted({3})
                                 .row({.n = 1, .seq = 9, .renumbered_from = 2})
                                 .message({.n = 0})
                                 .message({.n = 1, .seq = 9, .renumbered_from = 2})
                                 .message({.n = 2, .seq = 10, .renumbered_from = 3})
                                 .judge();

  EXPECT_EQ(found(result), "nothing");
  EXPECT_EQ(result.renumbered, 2U);
}

TEST(Audit, PassesPartitionsReadInAnyOrder) {
  const AuditResult result = History{}
                                 .accepted({4})
                                 .message({.n = 2, .key = "k1"}, 1)
                                 .message({.n = 0}, 0)
                                 .message({.n = 3, .key = "k1"}, 1)
                                 .message({.n = 1}, 0)
                                 .judge();

  EXPECT_EQ(found(result), "nothing");
}

TEST(Audit, LeavesOtherRunsTagsAlone) {
  const AuditResult result = clean(2).message({.n = 5, .seq = 7, .key = "k9", .run = 2}).judge();

  EXPECT_EQ(found(result), "nothing");
  EXPECT_EQ(result.other_runs, 1U);
}

// ---- Named
// ----------------------------------------------------------------------------------------

TEST(Audit, NamesALostRecordAndItsNeighbours) {
  const AuditResult result =
      History{}.accepted({4}).message({.n = 0}).message({.n = 2}).message({.n = 3}).judge();

  EXPECT_EQ(found(result), "lost=1");
  EXPECT_EQ(result.verdict(), Verdict::violated);
  EXPECT_EQ(result[Kind::lost].story,
            "publisher 0 n 1 is neither in Kafka nor in the outbox nor a dead letter; "
            "the one before it is orders-0 @ 0; the one after it is orders-0 @ 1");
}

TEST(Audit, NamesALostTailAndAPublisherThatIsMissing) {
  const AuditResult result = History{}.accepted({3, 5'000}).message({.n = 0}).judge();

  EXPECT_EQ(found(result), "lost=5002");
}

TEST(Audit, WithoutAcceptCountsNamesAGap) {
  const AuditResult result = History{}.message({.n = 0}).message({.n = 2}).judge();

  EXPECT_EQ(found(result), "lost=1");
  EXPECT_FALSE(result.accepted.has_value());
}

TEST(Audit, NamesAReorderWithItsOvertaker) {
  const AuditResult result =
      History{}.accepted({3}).message({.n = 0}).message({.n = 2}).message({.n = 1}).judge();

  EXPECT_EQ(found(result), "reordered_key=1 reordered_stream=1");
  EXPECT_EQ(result[Kind::reordered_key].place, (Place{.partition = 0, .offset = 2}));
  EXPECT_EQ(result[Kind::reordered_key].position, "00c17f3a22d09e41-0-2");
  EXPECT_EQ(result[Kind::reordered_key].story,
            "publisher 0 n 1, first seen after publisher 0 n 2 (orders-0 @ 1)");
  EXPECT_EQ(result[Kind::reordered_stream].story,
            "first seen after 00c17f3a22d09e41-0-3 (orders-0 @ 1)");
}

TEST(Audit, NamesTheFirstOffenderByPlaceNotByTurn) {
  const AuditResult result = History{}
                                 .accepted({4})
                                 .message({.n = 3, .key = "k1"}, 1)
                                 .message({.n = 2, .key = "k1"}, 1)
                                 .message({.n = 1}, 0)
                                 .message({.n = 0}, 0)
                                 .judge();

  EXPECT_EQ(found(result), "reordered_key=2 reordered_stream=2");
  EXPECT_EQ(result[Kind::reordered_key].place, (Place{.partition = 0, .offset = 1}));
}

TEST(Audit, NamesAReorderThatOnlyTheSeqsShow) {
  const AuditResult result = History{}
                                 .accepted({2})
                                 .message({.n = 0, .seq = 2, .key = "k0"})
                                 .message({.n = 1, .seq = 1, .key = "k1"})
                                 .judge();

  EXPECT_EQ(found(result), "reordered_stream=1");
}

TEST(Audit, NamesAReorderThatOnlyThePublisherShows) {
  const AuditResult result =
      History{}.accepted({2}).message({.n = 1, .seq = 1}).message({.n = 0, .seq = 2}).judge();

  EXPECT_EQ(found(result), "reordered_key=1");
}

TEST(Audit, NamesARowThatWasOvertaken) {
  const AuditResult result =
      History{}.accepted({3}).row({.n = 1}).message({.n = 0}).message({.n = 2}).judge();

  EXPECT_EQ(found(result), "overtaken=1");
}

TEST(Audit, NamesACopyWithoutAMark) {
  const AuditResult result = clean(3).message({.n = 1}).judge();

  EXPECT_EQ(found(result), "duplicates_unmarked=1");
  EXPECT_EQ(result[Kind::duplicate_unmarked].place, (Place{.partition = 0, .offset = 3}));
  EXPECT_EQ(result[Kind::duplicate_unmarked].position, "00c17f3a22d09e41-0-2");
}

TEST(Audit, NamesACopyMoreThanTheMarksExplain) {
  const AuditResult result = clean(3).message({.n = 1, .mark = "lease"}).message({.n = 1}).judge();

  EXPECT_EQ(found(result), "duplicates_unmarked=1");
  EXPECT_EQ(result.duplicates_marked, 1U);
}

TEST(Audit, AMarkOfItsNeighbourExplainsNothing) {
  const AuditResult result = History{}
                                 .accepted({2})
                                 .message({.n = 0})
                                 .message({.n = 1, .mark = "lease"})
                                 .message({.n = 0})
                                 .judge();

  EXPECT_EQ(found(result), "duplicates_unmarked=1");
}

TEST(Audit, NamesACopyInAnotherPartition) {
  const AuditResult result = clean(2).message({.n = 1}, 1).judge();

  EXPECT_EQ(found(result), "duplicates_unmarked=1 copy_elsewhere=1");
}

TEST(Audit, NamesAMessageWithoutAPosition) {
  EXPECT_EQ(found(clean(1).message({.n = 1, .position = ""}).accepted({2}).judge()),
            "without_position=1");
  EXPECT_EQ(found(clean(1).message({.n = 1, .position = "cut"}).accepted({2}).judge()),
            "without_position=1");
}

TEST(Audit, NamesAPositionOnTwoRecords) {
  const AuditResult result = clean(2).message({.n = 2, .seq = 2}).accepted({3}).judge();

  EXPECT_EQ(found(result), "position_shared=1");
  EXPECT_EQ(result[Kind::position_shared].story, "another record has this position: orders-0 @ 1");
}

// The audit keeps only the upper 24 bits of a content.
TEST(Audit, NamesAPositionOnTwoRecordsWhoseContentsLookEqual) {
  std::map<std::uint64_t, std::uint64_t> seen;
  std::uint64_t n = 0;
  while (seen.try_emplace(History::content_of({.n = n}) >> 40U, n).second)
    ++n;
  const std::uint64_t twin = seen.at(History::content_of({.n = n}) >> 40U);

  const AuditResult result = clean(n).message({.n = n, .seq = twin + 1}).accepted({n + 1}).judge();

  EXPECT_EQ(found(result), "position_shared=1");
}

TEST(Audit, NamesARowThatDiffersFromItsMessage) {
  const AuditResult result =
      History{}.accepted({1}).row({.n = 0, .padding = " "}).message({.n = 0}).judge();

  EXPECT_EQ(found(result), "position_shared=1");
}

TEST(Audit, NamesARecordWithTwoPositions) {
  const AuditResult result = clean(2).message({.n = 1, .seq = 3}).judge();

  EXPECT_EQ(found(result), "duplicates_unmarked=1 record_renamed=1");
}

TEST(Audit, ARenumberedRecordIsStillOneRecord) {
  const AuditResult result = clean(2).message({.n = 1, .seq = 3, .renumbered_from = 2}).judge();

  EXPECT_EQ(found(result), "duplicates_unmarked=1");
}

TEST(Audit, NamesAKeyInTwoPartitions) {
  const AuditResult result =
      History{}.accepted({2}).message({.n = 0}, 0).message({.n = 1}, 1).judge();

  EXPECT_EQ(found(result), "key_in_two_places=1");
}

TEST(Audit, NamesAMessageThatWasNeverAccepted) {
  EXPECT_EQ(found(clean(5).accepted({3}).judge()), "never_accepted=1");
  EXPECT_EQ(found(clean(1).message({.n = 1, .publisher = 9, .seq = 2}).judge()),
            "never_accepted=1");
}

TEST(Audit, NamesADamagedPayload) {
  const AuditResult result = clean(1).message({.n = 1, .padding = " x "}).judge();

  EXPECT_EQ(found(result), "damaged=1");
}

TEST(Audit, NamesADeadLetterThatWasDelivered) {
  EXPECT_EQ(found(History{}.accepted({1}).dead_letter({.n = 0}).message({.n = 0}).judge()),
            "dead_and_delivered=1");
  EXPECT_EQ(
      found(
          History{}.accepted({1}).dead_letter({.n = 0, .mark = "lease"}).message({.n = 0}).judge()),
      "nothing");
}

TEST(Audit, NamesADeadLetterThatIsStillARow) {
  const AuditResult result = History{}.accepted({1}).row({.n = 0}).dead_letter({.n = 0}).judge();

  EXPECT_EQ(found(result), "dead_and_waiting=1");
}

// ---- Foreign payloads: by position alone
// ------------------------------------------------------------

TEST(Audit, JudgesForeignPayloadsByPosition) {
  const AuditResult result = History{{.topic = "orders"}}
                                 .message({.seq = 1, .foreign = "a"})
                                 .message({.seq = 3, .foreign = "c"})
                                 .message({.seq = 2, .foreign = "b"})
                                 .message({.seq = 3, .foreign = "c"})
                                 .judge();

  EXPECT_EQ(found(result), "reordered_stream=1 duplicates_unmarked=1");
  EXPECT_EQ(result.foreign, 4U);
}

TEST(Audit, FollowsAForeignRecordToItsNewSeq) {
  const AuditResult result = History{{.topic = "orders"}}
                                 .message({.seq = 1, .foreign = "a"})
                                 .message({.seq = 2, .renumbered_from = 1, .foreign = "a"})
                                 .judge();

  EXPECT_EQ(found(result), "duplicates_unmarked=1");
}

// ---- No verdict
// -------------------------------------------------------------------------------------

TEST(Audit, DoubtsAMarkThatItDoesNotKnow) {
  const AuditResult result = clean(2).message({.n = 2, .mark = "mood"}).accepted({3}).judge();

  EXPECT_EQ(result.verdict(), Verdict::inconclusive);
}

TEST(Audit, DoubtsWhoseTheAcceptCountsAreWhenThereAreSeveralRuns) {
  const AuditResult result = History{{.topic = "orders"}}
                                 .accepted({1})
                                 .message({.n = 0})
                                 .message({.n = 0, .seq = 2, .run = 2})
                                 .judge();

  EXPECT_EQ(result.verdict(), Verdict::inconclusive);
}

TEST(Audit, SaysWhatItCannotJudge) {
  const AuditResult result = clean(2).judge();

  for (std::size_t i = 0; i < promises; ++i) {
    const auto promise = static_cast<Promise>(i);
    const bool is_judged =
        promise == Promise::publisher_order || promise == Promise::stream_order ||
        promise == Promise::no_loss || promise == Promise::one_position ||
        promise == Promise::no_unexplained_duplicate || promise == Promise::duplicates_stutter;
    EXPECT_EQ(result.judgement(promise), is_judged ? Judgement::holds : Judgement::not_judged)
        << number_of(promise);
    EXPECT_EQ(result.not_judged[i].empty(), is_judged) << number_of(promise);
  }
}

TEST(Audit, RefusesWhatIsNotWholeWhateverIsFoundInIt) {
  const std::array<Accept, 1> calls{};
  Audit audit{{.topic = "orders", .run = 1}};
  audit.expect({.run = 1, .publisher = 0, .begun = 2, .calls = calls});
  const RecordReader record{bytes_of("k"), bytes_of("run=damaged")};
  audit.add_message({.partition = 0, .offset = 0}, record);

  const AuditResult result = audit.finish();

  EXPECT_EQ(result.verdict(), Verdict::inconclusive);
  EXPECT_EQ(result.judgement(Promise::one_position), Judgement::not_judged);
}

TEST(Audit, GivesUpWhenItsMemoryIsFull) {
  History history{{.topic = "orders", .run = 1, .memory_bytes_max = 1'000'000}};
  for (std::uint64_t n = 0; n < 200'000; ++n)
    history.message({.n = n});

  EXPECT_EQ(history.judge().verdict(), Verdict::inconclusive);
}

TEST(Audit, TakesLessThanTwentyBytesForEachOfAMillionMessages) {
  constexpr std::uint64_t records = 1'000'000;
  History history{{.topic = "orders", .run = 1}};
  for (std::uint64_t n = 0; n < records; ++n) {
    history.message({.n = n, .key = "k" + std::to_string(n % 1'000)});
  }

  EXPECT_LT(history.judge().memory_bytes, 20 * records);
}

}  // namespace
}  // namespace spillway::verify
