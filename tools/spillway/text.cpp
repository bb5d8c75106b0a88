#include "text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <ostream>

namespace spillway::program {

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;)
    text.insert(at -= 3, 1, ',');
  return text;
}

std::string hex16(std::uint64_t number) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(number));
  return text.data();
}

std::string short_time(std::uint64_t ns) {
  struct Scale {
    double from;
    const char* format;
  };
  constexpr std::array scales{Scale{1e9, "%.2f s"}, Scale{1e6, "%.1f ms"}, Scale{1e3, "%.1f us"},
                              Scale{1, "%.0f ns"}};
  const auto value = static_cast<double>(ns);
  std::array<char, 32> text{"0 ns"};
  for (const Scale& scale : scales) {
    if (value < scale.from) continue;
    std::snprintf(text.data(), text.size(), scale.format, value / scale.from);
    break;
  }
  return text.data();
}

std::string iso_time(std::chrono::sys_time<std::chrono::microseconds> time) {
  const auto since = time.time_since_epoch();
  if (since.count() == 0) return "-";
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const std::time_t whole = seconds.count();
  std::tm parts{};
  gmtime_r(&whole, &parts);
  std::array<char, 32> date{};
  std::array<char, 16> fraction{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(fraction.data(), fraction.size(), ".%06dZ",
                static_cast<int>((since - seconds).count()));
  return std::string{date.data()} + fraction.data();
}

std::string printable(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    if (byte >= ' ' && byte <= '~' && byte != '\\') {
      text += byte;
      continue;
    }
    std::array<char, 8> escaped{};
    std::snprintf(escaped.data(), escaped.size(), "\\x%02x", static_cast<unsigned char>(byte));
    text += escaped.data();
  }
  return text;
}

std::string printable_or_none(const std::optional<std::string>& bytes) {
  return bytes ? printable(std::string_view{*bytes}) : "(none)";
}

std::string shortened(const std::optional<std::string>& bytes, std::size_t chars_max) {
  if (!bytes || bytes->size() <= chars_max) return printable_or_none(bytes);
  return printable(std::string_view{*bytes}.substr(0, chars_max)) + "... (" +
         grouped(bytes->size()) + " bytes)";
}

void print_table(std::ostream& out, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out << row[i];
      if (i + 1 < row.size()) out << std::string(widths[i] - row[i].size() + 2, ' ');
    }
    out << '\n';
  }
}

}  // namespace spillway::program
