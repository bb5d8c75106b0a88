// tests/fuzz/input_reader.hpp: bytes as the numbers and pieces that a target asks for.

#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "fuzz/target.hpp"

namespace spillway::fuzz {

/// Past the end everything is zero or empty.
class InputReader {
 public:
  explicit InputReader(Input input) noexcept : rest_{input} {}

  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] Input rest() const noexcept { return rest_; }

  template <std::unsigned_integral Number>
  Number number() noexcept {
    Number value = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
      const Input byte = take(1);
      const auto low = byte.empty() ? 0U : std::to_integer<unsigned>(byte[0]);
      value = static_cast<Number>((std::uint64_t{value} << 8U) | low);
    }
    return value;
  }
  /// A length of two bytes, and so many bytes or what is left.
  Input piece() noexcept { return take(number<std::uint16_t>()); }
  /// Nothing when the byte before it is odd.
  std::optional<Input> maybe_piece() noexcept {
    if (number<std::uint8_t>() % 2 != 0) return std::nullopt;
    return piece();
  }
  std::string_view text() noexcept {
    const Input bytes = piece();
    // Bytes may be looked at as characters.
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

 private:
  Input take(std::size_t bytes) noexcept {
    const Input taken = rest_.first(std::min(bytes, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

  Input rest_;
};

}  // namespace spillway::fuzz
