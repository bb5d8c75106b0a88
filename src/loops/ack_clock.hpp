// src/loops/ack_clock.hpp: how many records a lane gives Kafka ahead of the acks.
//
// What Kafka cannot take yet waits in the journal: an overload does not look like silence then, and
// a failure finds less to hold. A broker that has just started takes a tenth of what a warm one
// does. So a lane has as many records under way as were acked a moment ago, and a few more: while
// the broker keeps up they double with each round trip (as TCP's slow start, RFC 5681 3.1).

#pragma once

#include <cstddef>
#include <optional>

#include "core/time.hpp"

namespace spillway::loops {

class AckClock {
 public:
  /// So many with nothing acked lately.
  static constexpr std::size_t first = 256;

  /// `span`: how old the oldest without an ack may be, and for how long an ack counts; up to twice
  /// as long.
  explicit AckClock(core::Duration span) noexcept : span_{span} {}

  void note(std::size_t acked, core::Instant now) noexcept {
    turn(now);
    acked_ += acked;
  }

  /// How many may be without an ack; `oldest`: since when the oldest of them is.
  [[nodiscard]] std::size_t limit(std::optional<core::Instant> oldest, core::Instant now) noexcept {
    turn(now);
    const bool is_behind = oldest && now - *oldest > span_;
    return is_behind ? 0 : first + acked_before_ + acked_;
  }

 private:
  void turn(core::Instant now) noexcept {
    if (now - turned_at_ < span_) return;
    acked_before_ = now - turned_at_ < 2 * span_ ? acked_ : 0;
    acked_ = 0;
    turned_at_ = now;
  }

  core::Duration span_;
  core::Instant turned_at_{};
  std::size_t acked_ = 0;
  std::size_t acked_before_ = 0;
};

}  // namespace spillway::loops
