#include "runtime/publishers.hpp"

namespace spillway::runtime {

handoff::PublisherCounters* PublisherSlots::take() {
  const std::lock_guard lock{mutex_};
  if (!free_.empty()) {
    handoff::PublisherCounters* const slot = free_.back();
    free_.pop_back();
    return slot;
  }
  slots_.push_back(std::make_unique<handoff::PublisherCounters>());
  free_.reserve(slots_.size());  // so that give_back() never allocates
  return slots_.back().get();
}

void PublisherSlots::give_back(handoff::PublisherCounters* slot) noexcept {
  const std::lock_guard lock{mutex_};
  free_.push_back(slot);
}

std::uint64_t PublisherSlots::accepted() const {
  std::uint64_t sum = 0;
  for_each([&sum](const handoff::PublisherCounters& slot) { sum += slot.accepted.get(); });
  return sum;
}

}  // namespace spillway::runtime
