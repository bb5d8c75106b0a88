// src/handoff/arrow.hpp: one arrow of the picture: from one thread to one other, first in, first
// out.

#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include <concurrentqueue/concurrentqueue.h>

#include "core/check.hpp"

namespace spillway::handoff {

/// @thread send(): one; receive(): one other
template <class Message>
class Arrow {
 public:
  Arrow() = default;
  Arrow(const Arrow&) = delete;
  Arrow& operator=(const Arrow&) = delete;
  ~Arrow() = default;

  /// @allocates when more is under way than ever before
  void send(Message message) {
    // It fails only when memory is exhausted: a message may carry a record's outcome, so it is not
    // lost quietly.
    SPILLWAY_CHECK(queue_.enqueue(token_, std::move(message)));
  }

  /// Fills `messages` with the oldest; how many. 0 means that nothing sent before the call is left.
  [[nodiscard]] std::size_t receive(std::span<Message> messages) noexcept {
    return queue_.try_dequeue_bulk_from_producer(token_, messages.data(), messages.size());
  }
  [[nodiscard]] bool receive(Message& message) noexcept {
    return queue_.try_dequeue_from_producer(token_, message);
  }

 private:
  moodycamel::ConcurrentQueue<Message> queue_;
  moodycamel::ProducerToken token_{queue_};
};

}  // namespace spillway::handoff
