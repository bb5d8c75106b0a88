// tools/verify/slot_table.hpp: a slot for each number, for numbers that are dense nearly
// everywhere.
//
// Seqs of a stream and counters of a publisher are gapless when all is well, so a page of
// neighbours costs no more than the slots themselves; a wild number costs one page. A page is open
// while it is worked on, and is packed with slot_code when it was left alone for long enough.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "verify/slot_code.hpp"

namespace spillway::verify {

class SlotTable {
 public:
  explicit SlotTable(unsigned print_bits) noexcept : print_bits_{print_bits} {}

  /// Makes the page when it is missing. The slot stays where it is until pack_idle().
  [[nodiscard]] CodedSlot& at(std::uint64_t number);
  /// Nothing when nothing near it was ever asked for.
  [[nodiscard]] std::optional<CodedSlot> find(std::uint64_t number) const;
  /// Keeps the `open_max` pages that were used last, and packs the others.
  void pack_idle(std::size_t open_max);

  /// The number after the last one of its page.
  [[nodiscard]] static constexpr std::uint64_t page_end(std::uint64_t number) noexcept {
    return (number / page_slots + 1) * page_slots;
  }
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  static constexpr std::size_t page_slots = 2048;
  using Slots = std::array<CodedSlot, page_slots>;
  struct Page {
    std::unique_ptr<Slots> open;      // null: packed
    std::vector<std::uint64_t> code;  // empty while it is open
    std::uint64_t used_at = 0;
  };

  unsigned print_bits_;
  std::unordered_map<std::uint64_t, Page> pages_;
  std::vector<Page*> open_;
  std::size_t code_words_ = 0;
  std::uint64_t uses_ = 0;
  Slots* last_ = nullptr;
  std::uint64_t last_number_ = 0;
  // The packed page that find() was asked for last.
  mutable std::unique_ptr<Slots> looked_at_;
  mutable std::optional<std::uint64_t> looked_at_number_;
};

}  // namespace spillway::verify
