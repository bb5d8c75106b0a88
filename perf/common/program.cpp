#include "perf/common/program.hpp"

#include <exception>
#include <utility>

#include <librdkafka/rdkafka.h>

#include "spillway/error.hpp"
#include "spillway/outbox.hpp"
#include "tools/spillway/command.hpp"

namespace spillway::perf {
namespace {

using program::CommandError;
using program::ExitCode;

int exit_with(ExitCode code, const std::string& name, const std::exception& error) {
  note(name + ": " + error.what());
  return static_cast<int>(code);
}

}  // namespace

Program::Program(ProgramDefaults defaults)
    : defaults_{std::move(defaults)}, app_{defaults_.about, defaults_.name} {
  app_.add_flag("--quick", quick_, "Few and short slices: whether it works, not how fast it is");
  app_.add_option("--pairs", pairs_,
                  "Pairs of slices for each variant; default: " + std::to_string(defaults_.pairs) +
                      ", or " + std::to_string(defaults_.pairs_quick) + " with --quick")
      ->check(CLI::Range(1, 100'000));
  app_.add_option("--seconds", seconds_, "Ends after so long, with what has been measured by then")
      ->check(CLI::PositiveNumber);
  app_.footer(
      "SPILLWAY_KAFKA, SPILLWAY_POSTGRES and SPILLWAY_REDIS say where the servers are: "
      "eval \"$(tools/stack env)\".\nStandard output: JSON, one object for each line. Exit codes: "
      "0 "
      "measured, 2 usage, 3 a server could not be used.");
}

int Program::run(int argc, char** argv, const std::function<void()>& measure) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app_.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
  }
  try {
    if (pairs_ == 0) pairs_ = quick_ ? defaults_.pairs_quick : defaults_.pairs;
    load(seconds_ > 0 ? seconds_ : quick_ ? defaults_.seconds_quick : defaults_.seconds);
    measure();
  } catch (const CommandError& error) {
    return exit_with(error.code(), name(), error);
  } catch (const ConfigError& error) {
    return exit_with(ExitCode::usage, name(), error);
  } catch (const StartError& error) {
    return exit_with(ExitCode::unusable, name(), error);
  } catch (const std::exception& error) {
    return exit_with(ExitCode::failed, name(), error);
  }
  return 0;
}

void Program::load(double seconds) {
  using std::chrono::steady_clock;
  deadline_ = steady_clock::now() +
              std::chrono::round<steady_clock::duration>(std::chrono::duration<double>{seconds});
  LoadedConfig loaded = load_config("", {{"relay.enabled", "false"}, {"log_level", "error"}});
  config_ = std::move(loaded.config);
  for (SettingOrigin& setting : loaded.settings)
    settings_.emplace(std::move(setting.key), std::move(setting.value));
  Outbox::open(config_).apply_schema();
}

bool Program::is_over() const noexcept {
  return std::chrono::steady_clock::now() >= deadline_;
}

void Program::put_settings(const Json& own) const {
  Json all{{"quick", quick_},
           {"pairs", pairs_},
           {"librdkafka", rd_kafka_version_str()},
           {"spillway", settings_}};
  all.update(own);
  perf::put_settings(name(), all);
}

}  // namespace spillway::perf
