// src/core/poll_ladder.hpp: how long an idle relay waits before it looks without having been asked.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>

#include "core/time.hpp"

namespace spillway::core {

/// 0.1 s → 1 s → 5 s while nothing is found; back to the first rung on work. It begins at a
/// preset's rung.
class PollLadder {
 public:
  static constexpr std::array<Duration, 3> rungs{std::chrono::milliseconds{100},
                                                 std::chrono::seconds{1}, std::chrono::seconds{5}};

  /// Begins at the lowest rung that is at least `start`.
  explicit constexpr PollLadder(Duration start) noexcept {
    while (rung_ + 1 < rungs.size() && rungs[rung_] < start)
      ++rung_;
  }

  [[nodiscard]] constexpr Duration interval() const noexcept { return rungs[rung_]; }
  /// A look found nothing.
  constexpr void on_idle() noexcept {
    if (rung_ + 1 < rungs.size()) ++rung_;
  }
  /// A token came, or a look found rows.
  constexpr void on_work() noexcept { rung_ = 0; }

 private:
  std::size_t rung_ = 0;
};

}  // namespace spillway::core
