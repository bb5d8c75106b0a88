// src/core/setting_values.hpp: durations, sizes and lists as people write them.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::core {

/// A whole number, nothing around it.
[[nodiscard]] std::optional<std::int64_t> parse_whole(std::string_view text) noexcept;

/// "500us", "75ms", "1s", "10m", "1h"; a number alone is milliseconds. Not negative.
[[nodiscard]] std::optional<std::chrono::microseconds> parse_duration(
    std::string_view text) noexcept;

/// "512KiB", "64MiB", "1GiB"; a number alone is bytes. Not negative.
[[nodiscard]] std::optional<std::int64_t> parse_size(std::string_view text) noexcept;

/// "2,3"; an empty text is an empty list.
[[nodiscard]] std::optional<std::vector<unsigned>> parse_list(std::string_view text);

/// In the largest unit that takes a whole number, minutes from two on: "75ms", "60s", "10m".
[[nodiscard]] std::string format_duration(std::chrono::microseconds duration);
/// The shortest text that is this number, as linger.ms takes it.
[[nodiscard]] std::string format_fraction(double number);
[[nodiscard]] std::string format_size(std::int64_t bytes);
[[nodiscard]] std::string format_list(const std::vector<unsigned>& numbers);

}  // namespace spillway::core
