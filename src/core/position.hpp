// src/core/position.hpp: the texts of Spillway's own Kafka headers.

#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "core/ids.hpp"

namespace spillway::core {

inline constexpr std::string_view header_position = "spillway-position";
inline constexpr std::string_view header_resend = "spillway-resend";
inline constexpr std::string_view header_renumbered = "spillway-renumbered";
inline constexpr std::string_view header_accepted_at = "spillway-accepted-at";
inline constexpr std::string_view header_relayed = "spillway-relayed";

/// 16 hex digits, '-', up to 5 digits, '-', up to 20 digits.
inline constexpr std::size_t position_chars_max = 16 + 1 + 5 + 1 + 20;
using PositionText = std::array<char, position_chars_max>;

/// Writes "<instance>-<lane>-<seq>" into `out`; the view lies in it. No allocation, no locale.
[[nodiscard]] std::string_view format_position(StreamId stream, Seq seq,
                                               PositionText& out) noexcept;

/// format_position() for records of mostly one stream: its name is written when it changes.
class PositionWriter {
 public:
  /// The view ends with the next call.
  [[nodiscard]] std::string_view write(StreamId stream, Seq seq) noexcept;

 private:
  StreamId stream_;
  PositionText text_{};
  std::size_t stream_chars_ = 0;  ///< 0: nothing is written yet.
};

struct ParsedPosition {
  StreamId stream;
  Seq seq;
  friend constexpr bool operator==(const ParsedPosition&, const ParsedPosition&) noexcept = default;
};

/// Nothing unless `text` is exactly what format_position() writes.
[[nodiscard]] std::optional<ParsedPosition> parse_position(std::string_view text) noexcept;

/// "" for none.
[[nodiscard]] std::string_view name_of(ResendCause cause) noexcept;
/// Nothing for an unknown text; none for "".
[[nodiscard]] std::optional<ResendCause> parse_resend_cause(std::string_view text) noexcept;

}  // namespace spillway::core
