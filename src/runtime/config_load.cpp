// load_config(): the preset, then the file, then variables, then flags; the last one that names a
// setting has it.

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/config_rules.hpp"
#include "core/names.hpp"
#include "core/secrets.hpp"
#include "core/settings.hpp"
#include "runtime/config_file.hpp"
#include "runtime/config_variables.hpp"
#include "spillway/config.hpp"
#include "spillway/error.hpp"

namespace spillway {
namespace {

using runtime::Assignment;

constexpr const char* origin_preset = "preset";
constexpr const char* origin_flag = "flag";
constexpr const char* variable_environment = "ENVIRONMENT";

std::vector<Assignment> assignments_of(const std::map<std::string, std::string>& overrides) {
  std::vector<Assignment> assignments;
  assignments.reserve(overrides.size());
  for (const auto& [key, text] : overrides) {
    assignments.push_back({key, origin_flag, core::Untyped{text}});
  }
  return assignments;
}

class Loader {
 public:
  Loader(std::vector<Assignment> assignments, std::vector<std::string> faults)
      : assignments_{std::move(assignments)}, faults_{std::move(faults)} {}

  LoadedConfig load(std::optional<Environment> chosen) {
    choose_environment(chosen);
    for (const Assignment& assignment : assignments_)
      apply(assignment);
    judge();
    if (!faults_.empty()) throw ConfigError{std::move(faults_)};
    list();
    return std::move(loaded_);
  }

 private:
  // In code, by flag, by SPILLWAY_ENVIRONMENT, by ENVIRONMENT, in the file: the first of these.
  void choose_environment(std::optional<Environment> chosen) {
    const std::string plain = runtime::plain_environment_variable();
    const auto named = std::find_if(assignments_.rbegin(), assignments_.rend(),
                                    [](const Assignment& one) { return one.key == "environment"; });
    const bool is_named = named != assignments_.rend();
    const bool is_in_file = is_named && !std::holds_alternative<core::Untyped>(named->value);
    std::string& origin = origins_["environment"];
    origin = origin_preset;
    if (chosen) {
      origin = origin_flag;
    } else if (!plain.empty() && (!is_named || is_in_file)) {
      origin = variable_environment;
      chosen = core::parse_environment(plain);
      if (!chosen) {
        faults_.push_back("ENVIRONMENT is " + plain +
                          "; it may be development, staging or production; where others need it "
                          "so, set SPILLWAY_ENVIRONMENT beside it");
      }
    } else if (is_named) {
      origin = named->origin;
      chosen = core::parse_environment(core::text_of(named->value).value_or(""));
    }
    loaded_.config = preset(chosen.value_or(Environment::development));
  }

  void apply(const Assignment& assignment) {
    if (const core::Setting* setting = core::find_setting(assignment.key)) {
      apply(assignment, *setting);
      return;
    }
    const auto property = core::passthrough_property(assignment.key);
    if (!property) {
      faults_.push_back(assignment.origin + ": " + assignment.key + " is no setting" +
                        core::key_hint(assignment.key));
      return;
    }
    const auto text = core::text_of(assignment.value);
    if (!text) {
      faults_.push_back(assignment.origin + ": " + assignment.key +
                        " is a list or a date; it must be a text, a number, or true or false");
      return;
    }
    loaded_.config.kafka.properties[std::string{*property}] = *text;
    origins_["kafka." + std::string{*property}] = assignment.origin;
  }

  void apply(const Assignment& assignment, const core::Setting& setting) {
    const Environment chosen = loaded_.config.environment;
    if (!core::assign(setting, assignment.value, loaded_.config)) {
      const auto text = core::text_of(assignment.value);
      const bool may_be_shown = setting.secret == core::Secret::none && text.has_value();
      faults_.push_back(assignment.origin + ": " + assignment.key + " is " +
                        (may_be_shown ? *text : std::string{"another kind of value"}) +
                        "; it must be " + core::expected_kind(setting));
      return;
    }
    if (assignment.key == "environment") {
      loaded_.config.environment = chosen;  // choose_environment() has looked at all of them
    } else {
      origins_[assignment.key] = assignment.origin;
    }
  }

  void judge() {
    for (const core::Violation& violation : core::violations(loaded_.config)) {
      const std::string origin = origin_of(violation.key);
      faults_.push_back(origin == origin_preset ? violation.text : origin + ": " + violation.text);
    }
  }

  std::string origin_of(const std::string& key) const {
    const auto origin = origins_.find(key);
    return origin == origins_.end() ? origin_preset : origin->second;
  }

  void list() {
    for (const core::Setting& setting : core::settings()) {
      const std::string key{setting.key};
      loaded_.settings.push_back({key, core::shown_value(setting, loaded_.config), origin_of(key)});
      if (key == "kafka.topic_within") list_properties();
    }
  }

  void list_properties() {
    for (const auto& [name, value] : loaded_.config.kafka.properties) {
      const std::string key = "kafka." + name;
      const bool is_secret = core::is_secret_property(name);
      loaded_.settings.push_back(
          {key, is_secret ? std::string{core::hidden} : value, origin_of(key)});
    }
  }

  std::vector<Assignment> assignments_;
  std::vector<std::string> faults_;
  std::map<std::string, std::string> origins_;  // by key; none: the preset
  LoadedConfig loaded_;
};

}  // namespace

LoadedConfig load_config(const std::string& path,
                         const std::map<std::string, std::string>& overrides,
                         std::optional<Environment> environment) {
  std::vector<std::string> faults;
  std::vector<Assignment> assignments;
  const auto append = [&assignments](std::vector<Assignment> more) {
    assignments.insert(assignments.end(), std::make_move_iterator(more.begin()),
                       std::make_move_iterator(more.end()));
  };
  if (!path.empty()) append(runtime::read_config_file(path));
  append(runtime::read_config_variables(faults));
  append(assignments_of(overrides));
  return Loader{std::move(assignments), std::move(faults)}.load(environment);
}

}  // namespace spillway
