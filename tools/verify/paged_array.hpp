// tools/verify/paged_array.hpp: slots by number, for numbers that are dense nearly everywhere.
//
// Seqs of a stream and counters of a publisher are gapless when all is well, so a page of
// neighbours costs no more than the slots themselves; a wild number costs one page.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

namespace spillway::verify {

template <class Slot>
class PagedArray {
 public:
  /// Makes the page when it is missing; `slot` lives as long as the array.
  [[nodiscard]] Slot& at(std::uint64_t number) {
    if (last_ == nullptr || number / page_slots != last_number_) {
      auto& page = pages_[number / page_slots];
      if (page == nullptr) page = std::make_unique<Page>();
      last_ = page.get();
      last_number_ = number / page_slots;
    }
    return (*last_)[number % page_slots];
  }

  /// Null when nothing near it was ever asked for.
  [[nodiscard]] const Slot* find(std::uint64_t number) const {
    const auto page = pages_.find(number / page_slots);
    return page == pages_.end() ? nullptr : &(*page->second)[number % page_slots];
  }

  /// The number after the last one of its page.
  [[nodiscard]] static constexpr std::uint64_t page_end(std::uint64_t number) noexcept {
    return (number / page_slots + 1) * page_slots;
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return pages_.size() * sizeof(Page); }

 private:
  static constexpr std::size_t page_slots = 2048;
  using Page = std::array<Slot, page_slots>;

  std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_;
  Page* last_ = nullptr;
  std::uint64_t last_number_ = 0;
};

}  // namespace spillway::verify
