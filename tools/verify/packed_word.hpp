// tools/verify/packed_word.hpp: a number of 40 bits, an index of 16 and flags, in one word.

#pragma once

#include <cstdint>

namespace spillway::verify {

class PackedWord {
 public:
  static constexpr unsigned number_bits = 40;
  static constexpr unsigned index_bits = 16;
  static constexpr unsigned flag_bits = 8;

  [[nodiscard]] std::uint64_t number() const noexcept { return word_ >> 24U; }
  [[nodiscard]] std::uint16_t index() const noexcept {
    return static_cast<std::uint16_t>((word_ >> 8U) & 0xFFFFU);
  }
  [[nodiscard]] std::uint8_t flags() const noexcept { return static_cast<std::uint8_t>(word_); }
  [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (word_ & flag) != 0; }
  void set(std::uint8_t flag) noexcept { word_ |= flag; }
  void set(std::uint64_t number, std::uint16_t index) noexcept {
    word_ = (number << 24U) | (std::uint64_t{index} << 8U) | (word_ & 0xFFU);
  }
  friend constexpr bool operator==(PackedWord, PackedWord) noexcept = default;

 private:
  std::uint64_t word_ = 0;
};

}  // namespace spillway::verify
