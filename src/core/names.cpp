#include "core/names.hpp"

#include "core/check.hpp"
#include "spillway/metrics.hpp"

namespace spillway {

std::string_view name_of(LaneState state) noexcept {
  switch (state) {
    case LaneState::direct:
      return "direct";
    case LaneState::spilling:
      return "spilling";
    case LaneState::returning:
      return "returning";
    case LaneState::recalling:
      return "recalling";
  }
  core::die("not a LaneState");
}

namespace core {
namespace {

template <class Enumeration, std::size_t count>
std::optional<Enumeration> parse(std::string_view text,
                                 const std::array<Enumeration, count>& values) noexcept {
  for (const Enumeration value : values) {
    if (text == name_of(value)) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Environment environment) noexcept {
  switch (environment) {
    case Environment::development:
      return "development";
    case Environment::staging:
      return "staging";
    case Environment::production:
      return "production";
  }
  die("not an Environment");
}

std::string_view name_of(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  die("not a LogLevel");
}

std::optional<Environment> parse_environment(std::string_view text) noexcept {
  return parse(text, environments);
}

std::optional<LogLevel> parse_log_level(std::string_view text) noexcept {
  return parse(text, log_levels);
}

}  // namespace core
}  // namespace spillway
