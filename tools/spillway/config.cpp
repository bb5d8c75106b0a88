// spillway config: the effective settings, and where each came from.

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "command.hpp"
#include "text.hpp"

namespace spillway::program {
namespace {

struct ConfigOptions {
  ConnectionOptions connection;
  bool as_json = false;
  bool check = false;
};

void print_json(const LoadedConfig& loaded) {
  nlohmann::ordered_json settings = nlohmann::ordered_json::object();
  for (const SettingOrigin& setting : loaded.settings) {
    settings[setting.key] = {{"value", setting.value}, {"origin", setting.origin}};
  }
  std::cout << settings.dump(2) << "\n";
}

void print_text(const LoadedConfig& loaded) {
  std::vector<std::vector<std::string>> rows{{"SETTING", "VALUE", "FROM"}};
  for (const SettingOrigin& setting : loaded.settings) {
    rows.push_back(
        {setting.key, setting.value.empty() ? "-" : printable(setting.value), setting.origin});
  }
  print_table(std::cout, rows);
}

// A pipeline needs both; a subcommand may do with one.
ExitCode check(const Config& config) {
  if (config.kafka.bootstrap_servers.empty()) {
    throw CommandError{ExitCode::failed,
                       "kafka.bootstrap_servers is not set; set it, or SPILLWAY_KAFKA"};
  }
  if (config.postgres.conninfo.empty()) {
    throw CommandError{ExitCode::failed,
                       "postgres.conninfo is not set; set it, or SPILLWAY_POSTGRES"};
  }
  std::cout << "every setting can be used\n";
  return ExitCode::passed;
}

ExitCode run_config(const ConfigOptions& options) {
  const LoadedConfig loaded = options.connection.load();
  if (options.check) return check(loaded.config);
  if (options.as_json) {
    print_json(loaded);
  } else {
    print_text(loaded);
  }
  return ExitCode::passed;
}

}  // namespace

void add_config(CLI::App& app, ExitCode& exit) {
  const auto options = std::make_shared<ConfigOptions>();
  CLI::App& command =
      *app.add_subcommand("config", "Print the effective settings, and where each came from");
  options->connection.add_to(command);
  command.add_flag("--json", options->as_json, "As JSON");
  command.add_flag("--check", options->check,
                   "Only say whether a pipeline could be opened with them");
  command.footer(
      "Example:\n  spillway config --config app.toml --environment production\n"
      "  spillway config --config app.toml --check");
  command.callback([options, &exit] { exit = run_config(*options); });
}

}  // namespace spillway::program
