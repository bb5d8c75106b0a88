#include "command.hpp"

#include <utility>

#include "spillway/error.hpp"

namespace spillway::program {

void ConnectionOptions::add_to(CLI::App& command) {
  const std::string group = "Connection";
  command.add_option("--config", file_, "TOML file with settings")->type_name("FILE")->group(group);
  command
      .add_option("--environment", environment_,
                  "Preset: development, staging or production; default: $ENVIRONMENT")
      ->type_name("NAME")
      ->group(group);
  command.add_option("--kafka", kafka_, "Brokers; default: $SPILLWAY_KAFKA")
      ->type_name("HOST:PORT,...")
      ->group(group);
  command.add_option("--postgres", postgres_, "libpq string or URI; default: $SPILLWAY_POSTGRES")
      ->type_name("CONNINFO")
      ->group(group);
  command.add_option("--redis", redis_, "redis:// or unix:// URL; default: $SPILLWAY_REDIS")
      ->type_name("URL")
      ->group(group);
  command.add_option("--set", settings_, "Any setting; `spillway config` lists them")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all()
      ->group(group);
}

LoadedConfig ConnectionOptions::load(std::map<std::string, std::string> more) const {
  // insert() keeps what is there: first come the subcommand's own flags, then the special, then
  // --set.
  const auto add = [&more](const std::string& key, const std::string& value) {
    if (!value.empty()) more.insert({key, value});
  };
  add("environment", environment_);
  add("kafka.bootstrap_servers", kafka_);
  add("postgres.conninfo", postgres_);
  add("redis.url", redis_);
  for (const std::string& setting : settings_) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw CommandError{ExitCode::usage, "--set " + setting + " has no value; write it KEY=VALUE"};
    }
    more.insert({setting.substr(0, equals), setting.substr(equals + 1)});
  }
  return load_config(file_, more);
}

void add_duration(CLI::App& command, const std::string& name, std::chrono::milliseconds& value,
                  const std::string& description) {
  const auto set = [&value](const std::int64_t& ms) { value = std::chrono::milliseconds{ms}; };
  const CLI::AsNumberWithUnit with_unit{
      std::map<std::string, std::int64_t>{{"ms", 1}, {"s", 1'000}, {"m", 60'000}}};
  const bool is_in_seconds = value.count() % 1'000 == 0;
  // Without the validators' own descriptions, which would crowd the help.
  command.add_option_function<std::int64_t>(name, set, description)
      ->transform(with_unit.description(""))
      ->check(CLI::NonNegativeNumber.description(""))
      ->type_name("DURATION")
      ->default_str(is_in_seconds ? std::to_string(value.count() / 1'000) + "s"
                                  : std::to_string(value.count()) + "ms");
}

void need_subcommand(CLI::App& group) {
  group.callback([&group] {
    if (!group.get_subcommands().empty()) return;
    throw CommandError{ExitCode::usage, "which part of it? --help lists them"};
  });
}

}  // namespace spillway::program
