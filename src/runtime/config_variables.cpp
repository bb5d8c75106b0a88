#include "runtime/config_variables.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <optional>

#include <unistd.h>

#include "core/nearest.hpp"

namespace spillway::runtime {
namespace {

constexpr std::string_view prefix = "SPILLWAY_";

struct ShortForm {
  std::string_view variable;
  std::string_view key;
};
constexpr std::array short_forms{ShortForm{"SPILLWAY_KAFKA", "kafka.bootstrap_servers"},
                                 ShortForm{"SPILLWAY_POSTGRES", "postgres.conninfo"},
                                 ShortForm{"SPILLWAY_REDIS", "redis.url"}};

bool is_left_alone(std::string_view variable) noexcept {
  constexpr std::array<std::string_view, 3> tools{"SPILLWAY_STACK", "SPILLWAY_PROGRAM",
                                                  "SPILLWAY_TEST"};
  const bool is_of_tools = std::ranges::any_of(
      tools, [variable](std::string_view tool) { return variable.starts_with(tool); });
  const auto has = [variable](std::string_view part) {
    return variable.find(part) != std::string_view::npos;
  };
  return is_of_tools || has("_SERVICE_HOST") || has("_SERVICE_PORT") || has("_PORT_") ||
         variable.ends_with("_PORT");
}

std::map<std::string, std::string, std::less<>> keys_by_variable() {
  std::map<std::string, std::string, std::less<>> keys;
  for (const core::Setting& setting : core::settings()) {
    keys.emplace(variable_of(setting.key), setting.key);
  }
  for (const ShortForm& form : short_forms)
    keys.emplace(form.variable, form.key);
  return keys;
}

std::string unknown_variable(std::string_view variable,
                             const std::map<std::string, std::string, std::less<>>& known) {
  std::vector<std::string_view> candidates;
  candidates.reserve(known.size());
  for (const auto& [name, key] : known)
    candidates.push_back(name);
  const auto meant = core::nearest(variable, candidates);
  const std::string hint = meant ? "did you mean " + std::string{*meant} + "?"
                                 : "`spillway config` lists all that there are";
  return std::string{variable} + " is the variable of no setting; unset it; " + hint;
}

}  // namespace

std::string variable_of(std::string_view key) {
  std::string variable{prefix};
  for (const char letter : key) {
    const bool is_lower = letter >= 'a' && letter <= 'z';
    variable += letter == '.' ? '_' : is_lower ? static_cast<char>(letter - 'a' + 'A') : letter;
  }
  return variable;
}

std::string plain_environment_variable() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): reads only.
  const char* value = std::getenv("ENVIRONMENT");
  return value != nullptr ? value : "";
}

std::vector<Assignment> read_config_variables(std::vector<std::string>& faults) {
  const auto known = keys_by_variable();
  std::map<std::string, Assignment> found;  // by key
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    const std::size_t equals = text.find('=');
    const std::string_view variable = text.substr(0, equals);
    if (!variable.starts_with(prefix) || equals == std::string_view::npos) continue;
    const auto key = known.find(variable);
    if (key == known.end()) {
      if (!is_left_alone(variable)) faults.push_back(unknown_variable(variable, known));
      continue;
    }
    const std::string value{text.substr(equals + 1)};
    const auto [place, is_first] =
        found.try_emplace(key->second, Assignment{.key = key->second,
                                                  .origin = std::string{variable},
                                                  .value = core::Untyped{value}});
    if (!is_first && std::get<core::Untyped>(place->second.value).text != value) {
      faults.push_back(std::string{variable} + " and " + place->second.origin +
                       " set the same and differ; unset one");
    }
  }
  std::vector<Assignment> assignments;
  assignments.reserve(found.size());
  for (auto& [key, assignment] : found)
    assignments.push_back(std::move(assignment));
  return assignments;
}

}  // namespace spillway::runtime
