// src/core/names.hpp: the texts of the enumerations that people write and read.

#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "spillway/config.hpp"

namespace spillway::core {

inline constexpr std::array environments{Environment::development, Environment::staging,
                                         Environment::production};
inline constexpr std::array log_levels{LogLevel::debug, LogLevel::info, LogLevel::warning,
                                       LogLevel::error};

[[nodiscard]] std::string_view name_of(Environment environment) noexcept;
[[nodiscard]] std::string_view name_of(LogLevel level) noexcept;

/// Nothing unless `text` is exactly one of the names.
[[nodiscard]] std::optional<Environment> parse_environment(std::string_view text) noexcept;
[[nodiscard]] std::optional<LogLevel> parse_log_level(std::string_view text) noexcept;

}  // namespace spillway::core
