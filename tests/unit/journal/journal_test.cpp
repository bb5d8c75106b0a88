// tests/unit/journal/journal_test.cpp: segments go round, and what a lane wrote down stays (P6,
// P12).

#include "journal/journal.hpp"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/limits.hpp"
#include "journal/recovery.hpp"
#include "support/temporary_directory.hpp"

namespace spillway::journal {
namespace {

constexpr std::size_t four_segments = 5 * core::segment_bytes;  // and the header's

class JournalTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return directory_.file("journal"); }

 private:
  test::TemporaryDirectory directory_;
};

Journal opened(const std::string& path) {
  return Journal{path, four_segments};
}

std::vector<SegmentIndex> take_all(Journal& journal) {
  std::vector<SegmentIndex> taken;
  while (const auto segment = journal.take_segment())
    taken.push_back(*segment);
  return taken;
}

TEST_F(JournalTest, HasNoFreeSegmentBeforeItsRecovery) {
  Journal journal{path(), four_segments};
  EXPECT_FALSE(journal.take_segment());

  static_cast<void>(recover(journal));

  EXPECT_EQ(take_all(journal).size(), 4U);
  EXPECT_EQ(journal.used_segments(), 4U);
}

TEST_F(JournalTest, TakesASegmentBackWhenItIsClosedAndItsLastRecordIsFreed) {
  Journal journal{path(), four_segments};
  static_cast<void>(recover(journal));
  const SegmentIndex segment = take_all(journal).front();

  journal.free_records(segment, 2);
  EXPECT_EQ(journal.used_segments(), 4U) << "its publisher may still append";
  journal.close_segment(segment, 3);
  EXPECT_EQ(journal.used_segments(), 4U) << "one record is still read";
  journal.free_records(segment, 1);

  EXPECT_EQ(journal.used_segments(), 3U);
}

TEST_F(JournalTest, TakesASegmentBackAtOnceWhenItIsClosedEmptyOrAfterItsRecords) {
  Journal journal{path(), four_segments};
  static_cast<void>(recover(journal));
  const auto segments = take_all(journal);

  journal.close_segment(segments[0], 0);
  journal.free_records(segments[1], 5);
  journal.close_segment(segments[1], 5);

  EXPECT_EQ(journal.used_segments(), 2U);
}

TEST_F(JournalTest, CountsTheUsesOfASegment) {
  Journal journal{path(), four_segments};
  static_cast<void>(recover(journal));
  const SegmentIndex segment = take_all(journal).front();
  const auto first_use = journal.generation_of(segment);
  journal.close_segment(segment, 0);

  ASSERT_EQ(take_all(journal).size(), 1U);

  EXPECT_EQ(journal.generation_of(segment), first_use + 1);
}

TEST_F(JournalTest, FindsARecordsSegmentByItsOffset) {
  Journal journal{path(), four_segments};
  for (std::uint32_t i = 0; i < journal.segment_count(); ++i) {
    const auto memory = journal.memory_of({i});

    const auto at = journal.offset_of(memory.data() + 512);

    EXPECT_EQ(journal.segment_of(at).value, i);
    EXPECT_EQ(static_cast<void*>(&journal.record(at)), memory.data() + 512);
  }
}

TEST_F(JournalTest, KeepsInstanceSeqsTopicsAndMarksAcrossProcesses) {
  core::InstanceId instance;
  {
    Journal journal{path(), four_segments};
    instance = journal.instance();
    EXPECT_TRUE(journal.is_new());
    EXPECT_EQ(journal.next_seq({3}), core::Seq{1});
    journal.set_next_seq({3}, {1'000'000});
    journal.set_outbox_touched({3}, true);
    journal.set_lanes(5);
    journal.set_relaning(true);
    EXPECT_EQ(journal.add_topic("orders"), core::TopicIndex{0});
    EXPECT_EQ(journal.add_topic("bills"), core::TopicIndex{1});
  }

  Journal journal{path(), 2 * four_segments};

  EXPECT_FALSE(journal.is_new());
  EXPECT_EQ(journal.instance(), instance);
  EXPECT_EQ(journal.size_bytes(), four_segments) << "the size of a file stays";
  EXPECT_EQ(journal.next_seq({3}), core::Seq{1'000'000});
  EXPECT_TRUE(journal.outbox_touched({3}));
  EXPECT_FALSE(journal.outbox_touched({2}));
  EXPECT_EQ(journal.lanes(), 5U);
  EXPECT_TRUE(journal.is_relaning());
  EXPECT_EQ(journal.add_topic("bills"), core::TopicIndex{1});
  EXPECT_EQ(journal.topic_name({0}), "orders");
}

TEST_F(JournalTest, GivesEachFileAnInstanceOfItsOwn) {
  const auto first = opened(path()).instance();
  const auto second = opened(path() + "-2").instance();

  EXPECT_NE(first, second);
}

TEST_F(JournalTest, TakesTopicsUntilItsTableIsFull) {
  Journal journal{path(), four_segments};
  for (std::size_t i = 0; i < core::topics_max; ++i) {
    ASSERT_TRUE(journal.add_topic("topic-" + std::to_string(i)));
  }

  EXPECT_FALSE(journal.add_topic("one-more"));
  EXPECT_EQ(journal.add_topic("topic-7"), core::TopicIndex{7});
}

}  // namespace
}  // namespace spillway::journal
