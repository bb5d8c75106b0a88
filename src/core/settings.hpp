// src/core/settings.hpp: the table of settings: one row each, with its key, its field and its
// bounds.
//
// Files, variables and flags are read, values are printed and judged by walking this table; what is
// not in it is no setting. Properties of librdkafka are none: they pass through
// (passthrough_property).

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "spillway/config.hpp"

namespace spillway::core {

template <template <class> class Pointer>
using FieldOf =
    std::variant<Pointer<std::string>, Pointer<bool>, Pointer<unsigned>, Pointer<std::size_t>,
                 Pointer<std::chrono::milliseconds>, Pointer<std::chrono::microseconds>,
                 Pointer<std::vector<unsigned>>, Pointer<Environment>, Pointer<LogLevel>>;
template <class Value>
using Mutable = Value*;
template <class Value>
using Readable = const Value*;
using MutableField = FieldOf<Mutable>;
using ReadableField = FieldOf<Readable>;

enum class Unit : std::uint8_t { none, bytes };

enum class Secret : std::uint8_t { none, conninfo, url };

/// Of a number as it is; of a duration in microseconds.
struct Bounds {
  std::int64_t min = 0;
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

struct Setting {
  std::string_view key;
  MutableField (*field)(Config&) noexcept;
  ReadableField (*value)(const Config&) noexcept;
  Bounds bounds = {};
  Unit unit = Unit::none;
  Secret secret = Secret::none;
  /// What leaving it out means; empty: the preset's value.
  std::string_view left_out = {};
};

/// In the order of config.hpp.
[[nodiscard]] std::span<const Setting> settings() noexcept;

/// Null when there is none of that key.
[[nodiscard]] const Setting* find_setting(std::string_view key) noexcept;

/// librdkafka's name when `key` is under `kafka.` (or `kafka.properties.`) and not ours. Nothing
/// when it looks like a misspelt one of ours: librdkafka's have dots where ours have underscores.
[[nodiscard]] std::optional<std::string_view> passthrough_property(std::string_view key) noexcept;

/// "; did you mean lanes.count?", or how to list them all.
[[nodiscard]] std::string key_hint(std::string_view key);

/// A text of a variable or a flag, which may stand for any kind.
struct Untyped {
  std::string text;
};
/// A value as its source had it; monostate is one that no setting takes, a date for example.
using SettingValue = std::variant<std::monostate, Untyped, std::string, bool, std::int64_t, double,
                                  std::vector<std::int64_t>>;

/// False when the value is not of the setting's kind; `config` is then as it was.
[[nodiscard]] bool assign(const Setting& setting, const SettingValue& value, Config& config);

/// "a whole number": completes "it must be".
[[nodiscard]] std::string expected_kind(const Setting& setting);

/// As a property of librdkafka, which are all texts; nothing for a list or a date.
[[nodiscard]] std::optional<std::string> text_of(const SettingValue& value);

/// The effective value, without secrets.
[[nodiscard]] std::string shown_value(const Setting& setting, const Config& config);

/// A number, a duration in microseconds; nothing for the other kinds.
[[nodiscard]] std::optional<std::int64_t> number_of(const Setting& setting, const Config& config);

/// One of number_of()'s, or of the bounds', as it would be written.
[[nodiscard]] std::string shown_number(const Setting& setting, std::int64_t number);

}  // namespace spillway::core
