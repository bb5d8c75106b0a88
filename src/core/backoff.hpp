// src/core/backoff.hpp: how long to wait before a server is tried again.

#pragma once

#include <algorithm>
#include <cstdint>

#include "core/time.hpp"

namespace spillway::core {

/// Doubles from `first` to `last`, each time between half and the whole of it: instances that lost
/// the same server do not come back in step. Deterministic for one seed.
class Backoff {
 public:
  constexpr Backoff(Duration first, Duration last, std::uint64_t seed) noexcept
      : first_{first}, last_{last}, next_{first}, random_{seed | 1U} {}

  [[nodiscard]] constexpr Duration next() noexcept {
    // Marsaglia: "Xorshift RNGs" (2003).
    random_ ^= random_ << 13U;
    random_ ^= random_ >> 7U;
    random_ ^= random_ << 17U;
    const auto half = next_.count() / 2;
    const auto jitter = static_cast<Duration::rep>(random_ % static_cast<std::uint64_t>(half + 1));
    next_ = std::min(next_ * 2, last_);
    return Duration{half + jitter};
  }
  constexpr void reset() noexcept { next_ = first_; }

 private:
  Duration first_;
  Duration last_;
  Duration next_;
  std::uint64_t random_;
};

}  // namespace spillway::core
