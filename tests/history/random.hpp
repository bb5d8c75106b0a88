// tests/history/random.hpp: numbers that are the same for a seed, everywhere and for ever.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace spillway::history {

/// splitmix64 (Steele, Lea, Flood 2014): std's distributions differ from library to library.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_{seed} {}

  [[nodiscard]] std::uint64_t next() noexcept {
    std::uint64_t mixed = state_ += 0x9E3779B97F4A7C15U;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31U);
  }
  /// 0 .. end - 1; `end` is small beside 2^64.
  [[nodiscard]] std::uint64_t below(std::uint64_t end) noexcept { return next() % end; }
  /// Both ends included.
  [[nodiscard]] std::uint64_t between(std::uint64_t first, std::uint64_t last) noexcept {
    return first + below(last - first + 1);
  }
  [[nodiscard]] bool chance(unsigned percent) noexcept { return below(100) < percent; }
  template <class T>
  [[nodiscard]] const T& one_of(const std::vector<T>& choices) noexcept {
    return choices[below(choices.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace spillway::history
