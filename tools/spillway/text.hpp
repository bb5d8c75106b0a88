// tools/spillway/text.hpp: values as people read them.

#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::program {

/// 1,234,567
[[nodiscard]] std::string grouped(std::uint64_t number);

/// 16 hex digits, as in a position.
[[nodiscard]] std::string hex16(std::uint64_t number);

/// "250 ns", "3.2 ms", "1.50 s".
[[nodiscard]] std::string short_time(std::uint64_t ns);

/// "2024-05-01T12:00:00.123456Z"; "-" for the epoch, which stands for none.
[[nodiscard]] std::string iso_time(std::chrono::sys_time<std::chrono::microseconds> time);

/// Printable ASCII as it is, everything else as \xNN: what was stored cannot steer a terminal.
[[nodiscard]] std::string printable(std::string_view bytes);
/// "(none)" for nothing.
[[nodiscard]] std::string printable_or_none(const std::optional<std::string>& bytes);

/// The first `chars_max` of printable(), and how much there is in all.
[[nodiscard]] std::string shortened(const std::optional<std::string>& bytes, std::size_t chars_max);

/// Columns as wide as their widest cell; the first row is the heading.
void print_table(std::ostream& out, const std::vector<std::vector<std::string>>& rows);

}  // namespace spillway::program
