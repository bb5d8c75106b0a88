// src/runtime/publishers.hpp: what all publishers of a pipeline share, and the counters of each.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "handoff/counters.hpp"
#include "handoff/hand_off.hpp"
#include "journal/journal.hpp"

namespace spillway::runtime {

/// Slots are reused: a host that makes a publisher for each request does not grow. Counts stay.
class PublisherSlots {
 public:
  /// @allocates when more publishers live than ever before
  [[nodiscard]] handoff::PublisherCounters* take();
  void give_back(handoff::PublisherCounters* slot) noexcept;

  /// Calls `visit` with each slot's counters.
  template <class Visit>
  void for_each(Visit visit) const {
    const std::lock_guard lock{mutex_};
    for (const auto& slot : slots_)
      visit(*slot);
  }
  [[nodiscard]] std::uint64_t accepted() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<handoff::PublisherCounters>> slots_;
  std::vector<handoff::PublisherCounters*> free_;
};

/// What publish() reads; all of it outlives the publishers.
struct PublishSide {
  journal::Journal& journal;
  std::vector<std::unique_ptr<handoff::HandOff>>& hand_offs;  ///< By lane.
  PublisherSlots& slots;
  std::size_t record_bytes_max = 0;  ///< Of key, headers and payload.
  std::atomic<bool> closed{
      false};  ///< Relaxed: a late publish() only finds its record at the next start.
  std::atomic<unsigned> next_home{0};
};

}  // namespace spillway::runtime
