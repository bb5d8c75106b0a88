// src/runtime/rates.hpp: shares of what was published in the last ten seconds, from counters that
// only grow.

#pragma once

#include <array>
#include <cstdint>
#include <mutex>

#include "core/time.hpp"

namespace spillway::runtime {

struct Outcomes {
  std::uint64_t delivered = 0;
  std::uint64_t spilled = 0;
  std::uint64_t dead_lettered = 0;
};

/// @thread any
class Rates {
 public:
  /// Remembers the counters, once a second at most.
  void sample(core::Instant now, const Outcomes& outcomes) noexcept;

  struct Shares {
    double delivered = 1;
    double spilled = 0;
  };
  /// Of everything that was settled since the oldest sample; 1 and 0 when nothing was.
  [[nodiscard]] Shares shares(const Outcomes& outcomes) const noexcept;

 private:
  static constexpr std::size_t seconds = 10;

  mutable std::mutex mutex_;
  std::array<Outcomes, seconds> samples_{};
  std::size_t count_ = 0;
  core::Instant sampled_at_{};
};

}  // namespace spillway::runtime
