// Each kind of setting: what it takes, what it is called, how it is printed. The table is in
// settings.cpp.

#include <algorithm>
#include <type_traits>
#include <utility>

#include "core/names.hpp"
#include "core/secrets.hpp"
#include "core/setting_values.hpp"
#include "core/settings.hpp"

namespace spillway::core {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

template <class Value>
bool store(Value* field, std::optional<Value> value) {
  if (value) *field = std::move(*value);
  return value.has_value();
}

template <class Number>
std::optional<Number> narrowed(std::optional<std::int64_t> number) noexcept {
  if (!number || !std::in_range<Number>(*number)) return std::nullopt;
  return static_cast<Number>(*number);
}

// The text that a value may be parsed from: a typed text only where texts have units or names.
const std::string* readable_text(const SettingValue& value, bool typed_too) noexcept {
  if (const auto* untyped = std::get_if<Untyped>(&value)) return &untyped->text;
  return typed_too ? std::get_if<std::string>(&value) : nullptr;
}

std::optional<std::int64_t> whole_of(const SettingValue& value) noexcept {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  const std::string* text = readable_text(value, false);
  return text != nullptr ? parse_whole(*text) : std::nullopt;
}

std::optional<std::int64_t> size_of(const SettingValue& value) noexcept {
  const std::string* text = readable_text(value, true);
  return text != nullptr ? parse_size(*text) : whole_of(value);
}

template <class Duration>
std::optional<Duration> duration_of(const SettingValue& value) {
  const std::string* text = readable_text(value, true);
  const auto number = whole_of(value);
  const auto us = text != nullptr ? parse_duration(*text)
                  : number        ? parse_duration(std::to_string(*number))
                                  : std::nullopt;
  if (!us) return std::nullopt;
  const auto whole = std::chrono::duration_cast<Duration>(*us);
  return whole == *us ? std::optional{whole} : std::nullopt;
}

std::optional<bool> flag_of(const SettingValue& value) noexcept {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  const std::string* text = readable_text(value, false);
  if (text == nullptr || (*text != "true" && *text != "false")) return std::nullopt;
  return *text == "true";
}

std::optional<std::vector<unsigned>> list_of(const SettingValue& value) {
  if (const std::string* text = readable_text(value, false)) return parse_list(*text);
  const auto* numbers = std::get_if<std::vector<std::int64_t>>(&value);
  if (numbers == nullptr) return std::nullopt;
  std::vector<unsigned> list;
  for (const std::int64_t number : *numbers) {
    const auto narrow = narrowed<unsigned>(number);
    if (!narrow) return std::nullopt;
    list.push_back(*narrow);
  }
  return list;
}

template <class Value, class Parse>
std::optional<Value> named_of(const SettingValue& value, Parse parse) {
  const std::string* text = readable_text(value, true);
  return text != nullptr ? parse(*text) : std::nullopt;
}

// Far above every bound, and it does not overflow on the way.
std::int64_t microseconds(std::chrono::milliseconds duration) noexcept {
  constexpr std::chrono::milliseconds most = std::chrono::hours{24 * 365};
  return std::chrono::microseconds{std::clamp(duration, -most, most)}.count();
}

}  // namespace

bool assign(const Setting& setting, const SettingValue& value, Config& config) {
  return std::visit(
      Overloaded{
          [&](std::string* field) {
            const std::string* text = readable_text(value, true);
            return store(field, text != nullptr ? std::optional{*text} : std::nullopt);
          },
          [&](bool* field) { return store(field, flag_of(value)); },
          [&](unsigned* field) { return store(field, narrowed<unsigned>(whole_of(value))); },
          [&](std::size_t* field) {
            const auto number = setting.unit == Unit::bytes ? size_of(value) : whole_of(value);
            return store(field, narrowed<std::size_t>(number));
          },
          [&](std::chrono::milliseconds* field) {
            return store(field, duration_of<std::chrono::milliseconds>(value));
          },
          [&](std::chrono::microseconds* field) {
            return store(field, duration_of<std::chrono::microseconds>(value));
          },
          [&](std::vector<unsigned>* field) { return store(field, list_of(value)); },
          [&](Environment* field) {
            return store(field, named_of<Environment>(value, parse_environment));
          },
          [&](LogLevel* field) { return store(field, named_of<LogLevel>(value, parse_log_level)); },
      },
      setting.field(config));
}

std::string expected_kind(const Setting& setting) {
  return std::visit(Overloaded{
                        [](const std::string*) { return "a text"; },
                        [](const bool*) { return "true or false"; },
                        [](const unsigned*) { return "a whole number"; },
                        [&](const std::size_t*) {
                          return setting.unit == Unit::bytes
                                     ? "a size such as \"64MiB\", or whole bytes"
                                     : "a whole number";
                        },
                        [](const std::chrono::milliseconds*) {
                          return "a duration such as \"75ms\" or \"1s\", or whole milliseconds";
                        },
                        [](const std::chrono::microseconds*) {
                          return "a duration such as \"200us\" or \"1ms\", or whole milliseconds";
                        },
                        [](const std::vector<unsigned>*) { return "a list such as [2, 3]"; },
                        [](const Environment*) { return "development, staging or production"; },
                        [](const LogLevel*) { return "debug, info, warning or error"; },
                    },
                    setting.value(Config{}));
}

std::optional<std::string> text_of(const SettingValue& value) {
  using Text = std::optional<std::string>;
  return std::visit(Overloaded{
                        [](const Untyped& untyped) { return Text{untyped.text}; },
                        [](const std::string& text) { return Text{text}; },
                        [](bool flag) { return Text{flag ? "true" : "false"}; },
                        [](std::int64_t number) { return Text{std::to_string(number)}; },
                        [](double number) { return Text{format_fraction(number)}; },
                        [](const std::vector<std::int64_t>&) { return Text{}; },
                        [](std::monostate) { return Text{}; },
                    },
                    value);
}

std::string shown_value(const Setting& setting, const Config& config) {
  if (const auto number = number_of(setting, config)) return shown_number(setting, *number);
  return std::visit(
      Overloaded{
          [&](const std::string* text) {
            switch (setting.secret) {
              case Secret::none:
                return *text;
              case Secret::conninfo:
                return hide_conninfo_secrets(*text);
              case Secret::url:
                return hide_url_secrets(*text);
            }
            return std::string{hidden};
          },
          [](const bool* flag) { return std::string{*flag ? "true" : "false"}; },
          [](const std::vector<unsigned>* list) { return format_list(*list); },
          [](const Environment* environment) { return std::string{name_of(*environment)}; },
          [](const LogLevel* level) { return std::string{name_of(*level)}; },
          [](const auto*) { return std::string{}; },  // A number: shown above.
      },
      setting.value(config));
}

std::optional<std::int64_t> number_of(const Setting& setting, const Config& config) {
  using Number = std::optional<std::int64_t>;
  return std::visit(
      Overloaded{
          [](const unsigned* number) { return Number{*number}; },
          [](const std::size_t* number) {
            constexpr auto most = std::numeric_limits<std::int64_t>::max();
            return Number{std::in_range<std::int64_t>(*number) ? static_cast<std::int64_t>(*number)
                                                               : most};
          },
          [](const std::chrono::milliseconds* duration) { return Number{microseconds(*duration)}; },
          [](const std::chrono::microseconds* duration) { return Number{duration->count()}; },
          [](const auto*) { return Number{}; },
      },
      setting.value(config));
}

std::string shown_number(const Setting& setting, std::int64_t number) {
  const ReadableField kind = setting.value(Config{});
  const bool is_duration = std::holds_alternative<const std::chrono::milliseconds*>(kind) ||
                           std::holds_alternative<const std::chrono::microseconds*>(kind);
  if (is_duration) return format_duration(std::chrono::microseconds{number});
  return setting.unit == Unit::bytes ? format_size(number) : std::to_string(number);
}

}  // namespace spillway::core
