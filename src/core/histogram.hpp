// src/core/histogram.hpp: log-linear buckets for durations: 3 digits, mergeable, no allocation on
// record.
//
// Values below 2048 ns have a bucket each; above, every power of two has 1024. At most 0.1 % error.

#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace spillway::core {

inline constexpr std::uint64_t histogram_value_max = (std::uint64_t{1} << 40U) - 1;

[[nodiscard]] constexpr std::size_t bucket_of(std::uint64_t ns) noexcept {
  const std::uint64_t value = std::min(ns, histogram_value_max);
  if (value < 2048) return value;
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - 11U;
  return shift * std::size_t{1024} + (value >> shift);
}

/// The largest value that falls into it.
[[nodiscard]] constexpr std::uint64_t upper_edge(std::size_t bucket) noexcept {
  if (bucket < 2048) return bucket;
  const std::size_t shift = bucket / 1024 - 1;
  const std::uint64_t top = bucket - shift * 1024;
  return ((top + 1) << shift) - 1;
}

inline constexpr std::size_t histogram_buckets = bucket_of(histogram_value_max) + 1;

/// The smallest upper edge at or below which `fraction` of `counts` lie; 0 when all are 0.
[[nodiscard]] std::uint64_t quantile(std::span<const std::uint64_t> counts,
                                     double fraction) noexcept;

}  // namespace spillway::core
