// src/handoff/hand_off.hpp: from all publishers to one lane.
//
// First in, first out for each publisher; core/stamp_merge puts the publishers in order. What that
// relies on: if a publisher's enqueue happened before another's, and the lane has met the second,
// then a complete later pass meets the first (ConcurrentQueue 1.0.3, release and acquire on the
// producers' tails). A pass is complete when it comes back empty.

#pragma once

#include <cstddef>

#include <concurrentqueue/concurrentqueue.h>

#include "core/check.hpp"
#include "core/stamp_merge.hpp"

namespace spillway::handoff {

/// Larger blocks and a larger first index than the default: 1,048,576 records of one publisher may
/// wait before the index has to grow.
struct HandOffTraits : moodycamel::ConcurrentQueueDefaultTraits {
  // NOLINTBEGIN(readability-identifier-naming)
  static constexpr std::size_t BLOCK_SIZE = 256;
  static constexpr std::size_t EXPLICIT_INITIAL_INDEX_SIZE = 4096;
  // NOLINTEND(readability-identifier-naming)
};

class HandOff {
 public:
  using Queue = moodycamel::ConcurrentQueue<core::HandedOver, HandOffTraits>;

  /// Room for `records` without an allocation, whoever sends them.
  explicit HandOff(std::size_t records) : queue_{records} {}

  /// A publisher's end: an explicit token, since implicit producers are never recycled. Ends before
  /// the HandOff. @allocates when made
  class Sender {
   public:
    explicit Sender(HandOff& to) : queue_{&to.queue_}, token_{to.queue_} {}

    void send(core::HandedOver record) noexcept { SPILLWAY_CHECK(queue_->enqueue(token_, record)); }

   private:
    Queue* queue_;
    moodycamel::ProducerToken token_;
  };

  /// Everything that was sent before the call, at least. @thread the lane
  void drain_into(core::StampMerge& merge) {
    constexpr std::size_t at_once = 1'024;
    std::size_t count = 0;
    do {
      const auto room = merge.room(at_once);
      count = queue_.try_dequeue_bulk(room.data(), room.size());
      merge.take(count);
    } while (count != 0);
  }

 private:
  Queue queue_;
};

}  // namespace spillway::handoff
