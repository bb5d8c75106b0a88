#include "core/stamp_merge.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace spillway::core {

std::span<HandedOver> StampMerge::room(std::size_t at_least) {
  if (taken_.size() < size_ + at_least)
    taken_.resize(std::max(2 * taken_.size(), size_ + at_least));
  return std::span{taken_}.subspan(size_);
}

void StampMerge::take(std::size_t count) {
  SPILLWAY_CHECK(size_ + count <= taken_.size());
  size_ += count;
}

void StampMerge::merge(Stamp drained_at) {
  const auto end = taken_.begin() + static_cast<std::ptrdiff_t>(size_);
  // One publisher, or several that took turns: nothing to do, and that is the usual case.
  if (!std::ranges::is_sorted(taken_.begin(), end, {}, &HandedOver::stamp)) {
    std::stable_sort(taken_.begin(), end, [](const HandedOver& left, const HandedOver& right) {
      return left.stamp < right.stamp;
    });
  }
  const auto young =
      std::ranges::lower_bound(taken_.begin(), end, drained_at, {}, &HandedOver::stamp);
  ready_ = static_cast<std::size_t>(young - taken_.begin());
}

std::span<const HandedOver> StampMerge::ready() const noexcept {
  return std::span{taken_}.first(ready_);
}

void StampMerge::clear_ready() {
  std::copy(taken_.begin() + static_cast<std::ptrdiff_t>(ready_),
            taken_.begin() + static_cast<std::ptrdiff_t>(size_), taken_.begin());
  size_ -= ready_;
  ready_ = 0;
}

}  // namespace spillway::core
