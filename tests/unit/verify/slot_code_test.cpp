// A page of slots comes back as it was, whatever it holds; and a healthy one is small.

#include "verify/slot_code.hpp"

#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace spillway::verify {
namespace {

constexpr std::uint8_t met = 1;

CodedSlot slot_of(std::uint64_t number, std::uint16_t index, std::uint8_t flags = met,
                  std::uint32_t print = 0) {
  CodedSlot slot{.word = {}, .print = print};
  slot.word.set(flags);
  slot.word.set(number, index);
  return slot;
}

void expect_unchanged(const std::vector<CodedSlot>& slots, unsigned print_bits) {
  const std::vector<std::uint64_t> code = encode(slots, print_bits);
  // Slots that hold something already: nothing of it may stay.
  std::vector<CodedSlot> decoded(slots.size(), slot_of(7, 7));
  decode(code, print_bits, decoded);
  EXPECT_EQ(decoded, slots);
}

TEST(SlotCode, KeepsSlotsThatHoldNothing) {
  expect_unchanged(std::vector<CodedSlot>(2'048), 24);
  expect_unchanged({}, 24);
}

TEST(SlotCode, KeepsTheLargestOfAll) {
  constexpr std::uint64_t number_max = (std::uint64_t{1} << PackedWord::number_bits) - 1;
  constexpr auto index_max = std::numeric_limits<std::uint16_t>::max();

  expect_unchanged({slot_of(0, 0), slot_of(number_max, 0), slot_of(number_max, index_max, 255),
                    slot_of(1, index_max, 255), slot_of(number_max, index_max, 255)},
                   0);
}

TEST(SlotCode, KeepsFlagsAndPrintsWithoutAnyNumber) {
  expect_unchanged({slot_of(0, 0, 0, 1), slot_of(0, 0, 64), CodedSlot{}, slot_of(0, 0, 0, 2)}, 24);
}

TEST(SlotCode, KeepsWhateverASeedMakes) {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    std::mt19937_64 random{seed};
    const std::uint64_t steps = std::uint64_t{1} << random() % 40;
    const std::uint64_t indexes = std::uint64_t{1} << random() % 10;
    const std::uint64_t flags = std::uint64_t{1} << random() % 9;
    const auto print_bits = static_cast<unsigned>(random() % 25);
    std::vector<CodedSlot> slots(1 + random() % 300);
    std::uint64_t number = 0;
    for (CodedSlot& slot : slots) {
      if (random() % 8 == 0) continue;
      // One in eight goes back, as after a restart or behind a renumbered record.
      number = random() % 8 == 0
                   ? random() % steps
                   : (number + random() % steps) % (std::uint64_t{1} << PackedWord::number_bits);
      slot = slot_of(number, static_cast<std::uint16_t>(random() % indexes),
                     static_cast<std::uint8_t>(random() % flags),
                     static_cast<std::uint32_t>(random() % (std::uint64_t{1} << print_bits)));
    }
    ASSERT_NO_FATAL_FAILURE(expect_unchanged(slots, print_bits)) << "seed " << seed;
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

TEST(SlotCode, TakesAByteForASlotOfEightPartitions) {
  std::mt19937_64 random{1};
  std::vector<std::uint64_t> ends(8);
  std::vector<CodedSlot> slots;
  for (int i = 0; i < 2'048; ++i) {
    const auto partition = static_cast<std::uint16_t>(random() % ends.size());
    // The other lane's records lie between.
    ends[partition] += 1 + random() % 3;
    slots.push_back(slot_of(ends[partition], partition));
  }

  EXPECT_LE(encode(slots, 0).size() * sizeof(std::uint64_t), slots.size());
}

}  // namespace
}  // namespace spillway::verify
