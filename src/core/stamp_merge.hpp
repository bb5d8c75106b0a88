// src/core/stamp_merge.hpp: puts what several publishers handed over into one order.
//
// In: what one complete drain of the hand-off found, each publisher's records in its own order, and
// the time T at which the drain began. Out: one run by stamp of what is older than T; the younger
// waits for the next turn, because a record stamped before it may not have been enqueued yet. It
// numbers nothing; loops/lane_loop.cpp does.

#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/ids.hpp"

namespace spillway::core {

/// What a publisher hands to a lane.
struct HandedOver {
  Stamp stamp;
  RecordOffset record;
};

class StampMerge {
 public:
  /// Room for one dequeue of `at_least` or more elements; take(n) says how many were filled.
  [[nodiscard]] std::span<HandedOver> room(std::size_t at_least);
  void take(std::size_t count);

  /// Sorts; everything stamped before `drained_at` is now ready(). Records of equal stamp keep
  /// their order.
  void merge(Stamp drained_at);

  /// In stamp order. Ends with the next call of room() or clear_ready().
  [[nodiscard]] std::span<const HandedOver> ready() const noexcept;
  void clear_ready();

  /// Taken, and not yet cleared.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// The oldest of these by stamp, after merge().
  [[nodiscard]] const HandedOver& oldest() const noexcept { return taken_[0]; }

 private:
  std::vector<HandedOver> taken_;  // sorted up to the last merge; beyond size_ is room
  std::size_t size_ = 0;
  std::size_t ready_ = 0;
};

}  // namespace spillway::core
