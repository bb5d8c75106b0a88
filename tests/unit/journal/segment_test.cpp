// tests/unit/journal/segment_test.cpp: records appended to a piece of memory, and found again (P4).

#include "journal/segment.hpp"

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "support/record_maker.hpp"

namespace spillway::journal {
namespace {

using core::RecordHeader;
using core::RecordState;
using test::EnvelopeText;
using test::text_of;

/// Aligned as a segment is.
class Memory {
 public:
  explicit Memory(std::size_t bytes) : words_(bytes / sizeof(std::uint64_t)) {}
  [[nodiscard]] std::span<std::byte> bytes() noexcept {
    return std::as_writable_bytes(std::span{words_});
  }

 private:
  std::vector<std::uint64_t> words_;
};

RecordHeader& append(SegmentWriter& writer, const EnvelopeText& envelope) {
  RecordHeader& record = test::write_record(envelope, writer.next());
  writer.accept(record);
  return record;
}

std::vector<std::string> payloads_in(std::span<const std::byte> memory) {
  std::vector<std::string> payloads;
  for (SegmentWalk walk{memory}; const auto record = walk.next();) {
    payloads.push_back(text_of(record->view.payload.value()));
  }
  return payloads;
}

bool ends_torn(std::span<const std::byte> memory) {
  SegmentWalk walk{memory};
  while (walk.next())
    continue;
  return walk.ended_torn();
}

TEST(Segment, GivesBackWhatWasAcceptedInOrder) {
  Memory memory{4'096};
  SegmentWriter writer{memory.bytes()};

  append(writer, {.payload = "one", .stamp = 1});
  append(writer, {.payload = "", .stamp = 2});
  append(writer, {.payload = "three", .stamp = 3});

  EXPECT_EQ(payloads_in(memory.bytes()), (std::vector<std::string>{"one", "", "three"}));
  EXPECT_FALSE(ends_torn(memory.bytes()));
}

TEST(Segment, IsEmptyWhenItIsBegunWhateverLayThere) {
  Memory memory{4'096};
  SegmentWriter old{memory.bytes()};
  append(old, {.payload = "old"});

  const SegmentWriter anew{memory.bytes()};

  EXPECT_TRUE(payloads_in(memory.bytes()).empty());
}

TEST(Segment, DoesNotRunOnIntoWhatLayThereBefore) {
  Memory memory{4'096};
  SegmentWriter old{memory.bytes()};
  for (std::uint64_t stamp = 1; stamp <= 5; ++stamp) {
    append(old, {.payload = "old", .stamp = stamp});
  }
  SegmentWriter anew{memory.bytes()};

  append(anew, {.payload = "new", .stamp = 9});

  EXPECT_EQ(payloads_in(memory.bytes()), std::vector<std::string>{"new"});
  EXPECT_FALSE(ends_torn(memory.bytes()));
}

TEST(Segment, EndsAtARecordWhoseStateWasNeverStored) {
  Memory memory{4'096};
  SegmentWriter writer{memory.bytes()};
  append(writer, {.payload = "whole", .stamp = 1});
  test::write_record({.payload = "half", .stamp = 2}, writer.next());

  EXPECT_EQ(payloads_in(memory.bytes()), std::vector<std::string>{"whole"});
  EXPECT_TRUE(ends_torn(memory.bytes()));
}

TEST(Segment, EndsAtADamagedRecord) {
  Memory memory{4'096};
  SegmentWriter writer{memory.bytes()};
  append(writer, {.payload = "whole", .stamp = 1});
  append(writer, {.payload = "damaged", .stamp = 2}).record_bytes += 8;

  EXPECT_EQ(payloads_in(memory.bytes()), std::vector<std::string>{"whole"});
  EXPECT_TRUE(ends_torn(memory.bytes()));
}

TEST(Segment, TakesARecordThatFillsItToTheLastByte) {
  const EnvelopeText envelope{.payload = std::string(100, 'x')};
  Memory memory{2 * test::record_bytes_of(envelope)};
  SegmentWriter writer{memory.bytes()};

  append(writer, envelope);
  ASSERT_TRUE(writer.has_room_for(test::record_bytes_of(envelope)));
  append(writer, envelope);

  EXPECT_FALSE(writer.has_room_for(1));
  EXPECT_EQ(payloads_in(memory.bytes()).size(), 2U);
}

TEST(Segment, HasNoRoomBeforeItIsGiven) {
  EXPECT_FALSE(SegmentWriter{}.has_room_for(1));
}

TEST(Segment, ShowsTheStateThatItsLaneStored) {
  Memory memory{4'096};
  SegmentWriter writer{memory.bytes()};
  RecordHeader& record = append(writer, {});

  for (const RecordState state :
       {RecordState::numbered, RecordState::submitted, RecordState::settled}) {
    store_state(record, state);
    EXPECT_EQ(SegmentWalk{memory.bytes()}.next()->state, state);
  }
}

TEST(Segment, WalkNeverLeavesHostileMemoryAndEnds) {
  const bool holds = rc::check("walk stays inside", [] {
    // Good records with some words overwritten: most headers still look right.
    Memory memory{1'024};
    SegmentWriter writer{memory.bytes()};
    for (std::uint64_t stamp = 1; writer.has_room_for(200); ++stamp) {
      append(writer,
             {.payload = std::string(*rc::gen::inRange<std::size_t>(0, 60), 'x'), .stamp = stamp});
    }
    const auto words = *rc::gen::inRange(0, 6);
    for (int i = 0; i < words; ++i) {
      const auto value = *rc::gen::oneOf(rc::gen::arbitrary<std::uint32_t>(),
                                         rc::gen::inRange<std::uint32_t>(0, 300));
      std::memcpy(memory.bytes().data() + *rc::gen::inRange<std::size_t>(0, 255) * 4, &value,
                  sizeof value);
    }
    const std::span<const std::byte> bytes = memory.bytes();

    std::size_t records = 0;
    for (SegmentWalk walk{bytes}; const auto record = walk.next(); ++records) {
      RC_ASSERT(record->offset + sizeof(RecordHeader) <= bytes.size());
      if (record->view.payload) {
        RC_ASSERT(record->view.payload->data() + record->view.payload->size() <=
                  bytes.data() + bytes.size());
      }
    }
    RC_ASSERT(records <= bytes.size() / sizeof(RecordHeader));
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace spillway::journal
