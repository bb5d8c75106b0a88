// src/loops/spill_pace.hpp: how fast a lane spills that could return, but for a journal too full.
//
// A row costs more than a message: on a machine with too much to do a lane that spills as fast as
// it can takes from the relay what that needs to get ahead, and would spill for ever with Kafka
// well. Half as fast as the relay forwards, and the outbox empties.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "core/ids.hpp"
#include "core/time.hpp"

namespace spillway::loops {

class SpillPace {
 public:
  /// A relay that has passed no row for so long may be away: the journal must not fill for it.
  static constexpr core::Duration stalled_after = std::chrono::seconds{1};

  /// How many rows may be sent now. `relayed_through`: what the relay has passed of the stream.
  [[nodiscard]] std::size_t room(core::Seq relayed_through, core::Instant now) noexcept {
    if (!passed_at_) {
      relayed_through_ = relayed_through;
      passed_at_ = now;
    } else if (relayed_through > relayed_through_) {
      room_ += (relayed_through.value - relayed_through_.value) / 2;
      relayed_through_ = relayed_through;
      passed_at_ = now;
    }
    if (now - *passed_at_ >= stalled_after) return std::numeric_limits<std::size_t>::max();
    return room_;
  }
  void note_sent(std::size_t rows) noexcept { room_ -= rows < room_ ? rows : room_; }

  /// As fast as Postgres takes them.
  void lift() noexcept {
    room_ = 0;
    passed_at_.reset();
  }

 private:
  std::size_t room_ = 0;
  core::Seq relayed_through_;
  std::optional<core::Instant> passed_at_;
};

}  // namespace spillway::loops
