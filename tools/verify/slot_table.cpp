#include "verify/slot_table.hpp"

#include <algorithm>

namespace spillway::verify {

CodedSlot& SlotTable::at(std::uint64_t number) {
  const std::uint64_t page_number = number / page_slots;
  if (last_ == nullptr || page_number != last_number_) {
    Page& page = pages_[page_number];
    if (page.open == nullptr) {
      page.open = std::make_unique<Slots>();
      if (!page.code.empty()) decode(page.code, print_bits_, *page.open);
      code_words_ -= page.code.size();
      page.code = {};
      open_.push_back(&page);
      if (looked_at_number_ == page_number) looked_at_number_.reset();
    }
    page.used_at = ++uses_;
    last_ = page.open.get();
    last_number_ = page_number;
  }
  return (*last_)[number % page_slots];
}

std::optional<CodedSlot> SlotTable::find(std::uint64_t number) const {
  const std::uint64_t page_number = number / page_slots;
  if (looked_at_number_ != page_number) {
    const auto known = pages_.find(page_number);
    if (known == pages_.end()) return std::nullopt;
    const Page& page = known->second;
    if (page.open != nullptr) return (*page.open)[number % page_slots];
    if (looked_at_ == nullptr) looked_at_ = std::make_unique<Slots>();
    decode(page.code, print_bits_, *looked_at_);
    looked_at_number_ = page_number;
  }
  return (*looked_at_)[number % page_slots];
}

void SlotTable::pack_idle(std::size_t open_max) {
  if (open_.size() <= open_max) return;
  std::ranges::nth_element(open_, open_.begin() + static_cast<std::ptrdiff_t>(open_max),
                           std::ranges::greater{}, &Page::used_at);
  for (std::size_t i = open_max; i < open_.size(); ++i) {
    Page& page = *open_[i];
    page.code = encode(*page.open, print_bits_);
    page.open.reset();
    code_words_ += page.code.size();
  }
  open_.resize(open_max);
  last_ = nullptr;
}

std::size_t SlotTable::bytes() const noexcept {
  // A page's entry is a node of the map, and a bucket points to it.
  constexpr std::size_t entry_bytes = sizeof(Page) + 4 * sizeof(void*);
  const std::size_t slots = open_.size() + (looked_at_ == nullptr ? 0 : 1);
  return pages_.size() * entry_bytes + slots * sizeof(Slots) + code_words_ * sizeof(std::uint64_t);
}

}  // namespace spillway::verify
