// tests/crash/dice.hpp: chance that a seed repeats, with every compiler.

#pragma once

#include <cmath>
#include <cstdint>

namespace spillway::crash {

/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (2014).
class Dice {
 public:
  explicit Dice(std::uint64_t seed) noexcept : state_{seed} {}

  std::uint64_t next() noexcept {
    std::uint64_t value = state_ += 0x9E3779B97F4A7C15U;
    value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
    value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
    return value ^ (value >> 31U);
  }
  /// 0 to sides - 1.
  std::uint64_t below(std::uint64_t sides) noexcept { return next() % sides; }
  bool one_in(std::uint64_t sides) noexcept { return below(sides) == 0; }
  /// 1 to `max`, each magnitude as likely as the other.
  std::uint64_t log_uniform(std::uint64_t max) noexcept {
    const double share = static_cast<double>(next() >> 11U) * 0x1p-53;
    return static_cast<std::uint64_t>(std::pow(static_cast<double>(max), share));
  }

 private:
  std::uint64_t state_;
};

}  // namespace spillway::crash
