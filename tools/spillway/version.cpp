// spillway version: of the program, and of the client libraries that it runs with.

#include <iostream>
#include <memory>
#include <string>

#include <hiredis/hiredis.h>
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <nlohmann/json.hpp>

#include "command.hpp"

namespace spillway::program {
namespace {

// 150020 is 15.20.
std::string libpq_version() {
  constexpr int major_factor = 10'000;
  const int version = PQlibVersion();
  return std::to_string(version / major_factor) + "." + std::to_string(version % major_factor);
}

std::string hiredis_version() {
  return std::to_string(HIREDIS_MAJOR) + "." + std::to_string(HIREDIS_MINOR) + "." +
         std::to_string(HIREDIS_PATCH);
}

void print_version(bool as_json) {
  const nlohmann::ordered_json versions{{"spillway", SPILLWAY_VERSION},
                                        {"librdkafka", rd_kafka_version_str()},
                                        {"libpq", libpq_version()},
                                        {"hiredis", hiredis_version()}};
  if (as_json) {
    std::cout << versions.dump(2) << "\n";
    return;
  }
  for (const auto& [name, version] : versions.items()) {
    std::cout << name << " " << version.get<std::string>() << "\n";
  }
}

}  // namespace

void add_version(CLI::App& app, ExitCode& exit) {
  const auto as_json = std::make_shared<bool>(false);
  CLI::App& command =
      *app.add_subcommand("version", "Print the versions of it and of its libraries");
  command.add_flag("--json", *as_json, "As JSON");
  command.footer("Example:\n  spillway version --json | jq -r .librdkafka");
  command.callback([as_json, &exit] {
    print_version(*as_json);
    exit = ExitCode::passed;
  });
}

}  // namespace spillway::program
