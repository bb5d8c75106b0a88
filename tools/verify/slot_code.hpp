// tools/verify/slot_code.hpp: slots that are neighbours, in as few bits as they need; none is lost.
//
// A slot's word says where a record is: its number there (an offset, a seq) and the index of the
// partition or stream. Neighbours have the flags of the slot before them and a number a little
// above the last one of their index, so such a slot takes a bit, its index among those met so far,
// and the step in Rice's code (Rice, Plaunt 1971) with a parameter that follows the mean step.
// Whatever else a slot holds is written out.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "verify/packed_word.hpp"

namespace spillway::verify {

struct CodedSlot {
  PackedWord word;
  std::uint32_t print = 0;  ///< Bits that nobody can foretell, as many as the coder is told.
  friend constexpr bool operator==(const CodedSlot&, const CodedSlot&) noexcept = default;
};

inline constexpr unsigned print_bits_max = 32;

[[nodiscard]] std::vector<std::uint64_t> encode(std::span<const CodedSlot> slots,
                                                unsigned print_bits);
/// `code` is what encode() made of as many slots with as many `print_bits`.
void decode(std::span<const std::uint64_t> code, unsigned print_bits, std::span<CodedSlot> slots);

}  // namespace spillway::verify
