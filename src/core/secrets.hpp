// src/core/secrets.hpp: settings as they may be printed: addresses stay readable, passwords do not.

#pragma once

#include <string>
#include <string_view>

namespace spillway::core {

inline constexpr std::string_view hidden = "(hidden)";

/// A libpq connection string or URI without its passwords; "(hidden)" as a whole when it cannot be
/// read.
[[nodiscard]] std::string hide_conninfo_secrets(std::string_view conninfo);

/// A URL without the password before its last '@'.
[[nodiscard]] std::string hide_url_secrets(std::string_view url);

/// A librdkafka property whose value is never printed.
[[nodiscard]] bool is_secret_property(std::string_view name) noexcept;

}  // namespace spillway::core
