#include "core/setting_values.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace spillway::core {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::int64_t second_us = 1'000'000;
constexpr std::array duration_units{Unit{"us", 1}, Unit{"ms", 1'000}, Unit{"s", second_us},
                                    Unit{"m", 60 * second_us}, Unit{"h", 3'600 * second_us}};
constexpr std::array size_units{Unit{"", 1}, Unit{"KiB", std::int64_t{1} << 10},
                                Unit{"MiB", std::int64_t{1} << 20},
                                Unit{"GiB", std::int64_t{1} << 30}};

// A number that is not negative and its unit; a number alone has `unit_of_none`.
std::optional<std::int64_t> parse_with_unit(std::string_view text, std::span<const Unit> units,
                                            std::int64_t unit_of_none) noexcept {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0) return std::nullopt;
  std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  while (!name.empty() && name.front() == ' ')
    name.remove_prefix(1);
  std::int64_t factor = name.empty() ? unit_of_none : 0;
  for (const Unit& unit : units) {
    if (!name.empty() && name == unit.name) factor = unit.factor;
  }
  if (factor == 0 || number > std::numeric_limits<std::int64_t>::max() / factor)
    return std::nullopt;
  return number * factor;
}

std::string format_with_unit(std::int64_t value, std::span<const Unit> units) {
  Unit best = units.front();
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.factor == 0) best = unit;
  }
  return std::to_string(value / best.factor).append(best.name);
}

}  // namespace

std::optional<std::int64_t> parse_whole(std::string_view text) noexcept {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::chrono::microseconds> parse_duration(std::string_view text) noexcept {
  const auto us = parse_with_unit(text, duration_units, 1'000);
  if (!us) return std::nullopt;
  return std::chrono::microseconds{*us};
}

std::optional<std::int64_t> parse_size(std::string_view text) noexcept {
  return parse_with_unit(text, size_units, 1);
}

std::optional<std::vector<unsigned>> parse_list(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  std::vector<unsigned> numbers;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    item.remove_prefix(std::min(item.find_first_not_of(' '), item.size()));
    const auto number = parse_whole(item);
    if (!number || *number < 0 || *number > std::numeric_limits<unsigned>::max())
      return std::nullopt;
    numbers.push_back(static_cast<unsigned>(*number));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) return std::nullopt;
  }
  return numbers;
}

std::string format_duration(std::chrono::microseconds duration) {
  if (duration.count() == 0) return "0ms";
  const bool in_minutes = duration.count() >= 120 * second_us;
  return format_with_unit(duration.count(), std::span{duration_units}.first(in_minutes ? 5 : 3));
}

std::string format_fraction(double number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

std::string format_size(std::int64_t bytes) {
  return format_with_unit(bytes, size_units);
}

std::string format_list(const std::vector<unsigned>& numbers) {
  std::string text;
  for (const unsigned number : numbers) {
    if (!text.empty()) text += ',';
    text += std::to_string(number);
  }
  return text;
}

}  // namespace spillway::core
