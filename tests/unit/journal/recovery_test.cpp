// tests/unit/journal/recovery_test.cpp: what a dead process left, in order, and no seq twice (P4,
// P6).

#include "journal/recovery.hpp"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "journal/segment.hpp"
#include "support/record_maker.hpp"
#include "support/temporary_directory.hpp"

namespace spillway::journal {
namespace {

using core::RecordState;
using core::Seq;
using test::EnvelopeText;

constexpr std::size_t size_bytes = 5 * core::segment_bytes;

/// One process with this journal: appends as publishers do, changes states as lanes do, and dies.
class Process {
 public:
  explicit Process(const std::string& path) : journal_{path, size_bytes} {
    recovered_ = recover(journal_);
    static_cast<void>(journal_.add_topic("orders"));
  }

  void next_segment() {
    segment_ = journal_.take_segment().value();
    writer_ = SegmentWriter{journal_.memory_of(segment_)};
  }
  core::RecordHeader& append(const EnvelopeText& envelope) {
    core::RecordHeader& record = test::write_record(envelope, writer_.next());
    writer_.accept(record);
    return record;
  }
  void append_half(const EnvelopeText& envelope) { test::write_record(envelope, writer_.next()); }
  /// As a lane numbers it.
  void number(core::RecordHeader& record, std::uint64_t seq,
              RecordState state = RecordState::numbered) {
    record.seq = seq;
    store_state(record, state);
  }

  [[nodiscard]] Journal& journal() noexcept { return journal_; }
  [[nodiscard]] const Recovered& recovered() const noexcept { return recovered_; }
  [[nodiscard]] const std::vector<RecoveredRecord>& lane(std::size_t i) const {
    return recovered_.lanes.at(i);
  }
  [[nodiscard]] std::string payload_of(const RecoveredRecord& found) const {
    return test::text_of(core::view_of(journal_.record(found.record)).payload.value());
  }

 private:
  Journal journal_;
  Recovered recovered_;
  SegmentIndex segment_;
  SegmentWriter writer_;
};

class RecoveryTest : public testing::Test {
 protected:
  /// The former one must have ended.
  Process& begin() {
    process_.reset();
    process_ = std::make_unique<Process>(directory_.file("journal"));
    return *process_;
  }

 private:
  test::TemporaryDirectory directory_;
  std::unique_ptr<Process> process_;
};

TEST_F(RecoveryTest, FindsNothingInANewJournal) {
  const Process& process = begin();

  EXPECT_EQ(process.recovered().records, 0U);
  EXPECT_EQ(process.recovered().torn, 0U);
}

TEST_F(RecoveryTest, FindsTheUnnumberedInStampOrderAcrossSegments) {
  Process& dead = begin();
  dead.next_segment();
  dead.append({.payload = "second", .stamp = 20});
  dead.append({.payload = "third", .stamp = 30});
  dead.next_segment();
  dead.append({.payload = "first", .stamp = 10});

  const Process& next = begin();

  ASSERT_EQ(next.lane(0).size(), 3U);
  EXPECT_EQ(next.payload_of(next.lane(0)[0]), "first");
  EXPECT_EQ(next.payload_of(next.lane(0)[1]), "second");
  EXPECT_EQ(next.payload_of(next.lane(0)[2]), "third");
  EXPECT_EQ(next.lane(0)[0].seq, Seq{});
}

TEST_F(RecoveryTest, FindsTheNumberedFirstAndBySeq) {
  Process& dead = begin();
  dead.next_segment();
  auto& renumbered = dead.append({.payload = "renumbered", .stamp = 1});
  dead.append({.payload = "unnumbered", .stamp = 2});
  auto& submitted = dead.append({.payload = "submitted", .stamp = 3});
  dead.number(renumbered, 8);
  dead.number(submitted, 7, RecordState::submitted);

  const Process& next = begin();

  ASSERT_EQ(next.lane(0).size(), 3U);
  EXPECT_EQ(next.lane(0)[0].seq, Seq{7});
  EXPECT_TRUE(next.lane(0)[0].submitted);
  EXPECT_EQ(next.lane(0)[1].seq, Seq{8});
  EXPECT_FALSE(next.lane(0)[1].submitted);
  EXPECT_EQ(next.payload_of(next.lane(0)[2]), "unnumbered");
}

TEST_F(RecoveryTest, LeavesOutWhatIsSettledAndFreesItsSegment) {
  Process& dead = begin();
  dead.next_segment();
  dead.number(dead.append({}), 1, RecordState::settled);
  dead.next_segment();
  dead.append({.payload = "open"});

  const Process& next = begin();

  EXPECT_EQ(next.recovered().records, 1U);
  EXPECT_EQ(std::as_const(next).recovered().lanes[0].size(), 1U);
}

TEST_F(RecoveryTest, GivesNoSeqTwiceThoughTheHeaderLagsBehindTheRecords) {
  Process& dead = begin();
  dead.next_segment();
  dead.number(dead.append({}), 41, RecordState::settled);
  dead.number(dead.append({}), 40);

  Process& next = begin();

  EXPECT_EQ(next.journal().next_seq({0}), Seq{42});
}

TEST_F(RecoveryTest, DoesNotBelieveTheSeqOfARecordThatIsOnlyAccepted) {
  Process& dead = begin();
  dead.next_segment();
  dead.append({}).seq = 99;  // the lane died between the seq and the state

  Process& next = begin();

  EXPECT_EQ(next.lane(0).front().seq, Seq{});
  EXPECT_EQ(next.journal().next_seq({0}), Seq{1});
}

TEST_F(RecoveryTest, SkipsAHalfWrittenRecordAndCountsIt) {
  Process& dead = begin();
  dead.next_segment();
  dead.append({.payload = "whole", .stamp = 1});
  dead.append_half({.payload = "half", .stamp = 2});

  const Process& next = begin();

  EXPECT_EQ(next.recovered().records, 1U);
  EXPECT_EQ(next.recovered().torn, 1U);
}

TEST_F(RecoveryTest, SkipsRecordsOfALaneOrTopicThatTheHeaderDoesNotKnow) {
  Process& dead = begin();
  dead.next_segment();
  dead.append({.topic = 1});
  dead.append({.lane = 64});
  dead.append({.payload = "good"});

  const Process& next = begin();

  EXPECT_EQ(next.recovered().records, 1U);
  EXPECT_EQ(next.recovered().foreign, 2U);
}

TEST_F(RecoveryTest, SharesTheRecordsOutToTheirLanes) {
  Process& dead = begin();
  dead.next_segment();
  for (const std::uint16_t lane : std::initializer_list<std::uint16_t>{0, 1, 0, 2})
    dead.append({.lane = lane});

  const Process& next = begin();

  EXPECT_EQ(next.lane(0).size(), 2U);
  EXPECT_EQ(next.lane(1).size(), 1U);
  EXPECT_EQ(next.lane(2).size(), 1U);
}

TEST_F(RecoveryTest, GivesTheSameWhenItIsDoneAgain) {
  Process& dead = begin();
  dead.next_segment();
  dead.number(dead.append({.payload = "a", .stamp = 5}), 3, RecordState::submitted);
  dead.append({.payload = "b", .stamp = 4});
  const auto described = [](const Process& process) {
    std::vector<std::pair<std::uint64_t, std::string>> all;
    for (const auto& found : process.lane(0)) {
      all.emplace_back(found.seq.value, process.payload_of(found));
    }
    return all;
  };
  const auto first = described(begin());

  const auto second = described(begin());

  EXPECT_EQ(first, second);
  EXPECT_EQ(first.size(), 2U);
}

TEST_F(RecoveryTest, AFoundRecordsSegmentIsFreeWhenItIsFreed) {
  Process& dead = begin();
  dead.next_segment();
  dead.append({});
  Process& next = begin();
  ASSERT_EQ(next.journal().used_segments(), 1U);
  const auto at = next.lane(0).front().record;

  next.journal().free_records(next.journal().segment_of(at), 1);

  EXPECT_EQ(next.journal().used_segments(), 0U);
}

}  // namespace
}  // namespace spillway::journal
