// tools/spillway/command.hpp: what every subcommand shares: how it is added, how it ends, how it
// fails.
//
// A subcommand is one file with one add_NAME(). It keeps its options in a shared_ptr that its
// callback holds, since CLI11 writes to them after add_NAME() has returned:
//
//   void add_schema(CLI::App& app, ExitCode& exit) {
//     const auto options = std::make_shared<SchemaOptions>();
//     CLI::App& command = *app.add_subcommand("schema", "Print or apply the outbox's tables");
//     options->connection.add_to(command);
//     command.footer("Example:\n  spillway schema --apply");
//     command.callback([options, &exit] { exit = run_schema(*options); });
//   }
//
// It throws what it cannot do; main() prints `spillway NAME: what; way out` and picks the exit
// code: ConfigError 2, StartError 3, CommandError its own.

#pragma once

#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "spillway/config.hpp"

namespace spillway::program {

/// What a script can tell from how the program ended.
enum class ExitCode : int {
  passed = 0,
  failed = 1,        ///< The thing that was checked is not so.
  usage = 2,         ///< Wrong flags or settings.
  unusable = 3,      ///< A server or a file could not be used.
  inconclusive = 4,  ///< Ended before there was an answer.
  missed = 99,       ///< Everything was done, and an objective was missed (`load --slo`).
};

/// Ends a subcommand with `code`; the text is "what; way out", without the subcommand's name.
class CommandError : public std::runtime_error {
 public:
  CommandError(ExitCode code, const std::string& text) : std::runtime_error{text}, code_{code} {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// --config, --environment, --kafka, --postgres, --redis and --set KEY=VALUE: where the servers
/// are, and every setting. Must outlive the parse: keep it in what the callback holds.
class ConnectionOptions {
 public:
  void add_to(CLI::App& command);

  /// Preset, file, variables, flags, in that order; then `more` (key → text), which a subcommand's
  /// own flags became. @throws ConfigError, StartError
  [[nodiscard]] LoadedConfig load(std::map<std::string, std::string> more = {}) const;

 private:
  std::string file_;
  std::string environment_;
  std::string kafka_;
  std::string postgres_;
  std::string redis_;
  std::vector<std::string> settings_;
};

/// A flag such as `--within 30s`; a number alone is milliseconds. `value` holds the default and
/// must outlive the parse.
void add_duration(CLI::App& command, const std::string& name, std::chrono::milliseconds& value,
                  const std::string& description);

/// For one that only groups others. (CLI11's require_subcommand() hides a misspelt one.)
void need_subcommand(CLI::App& group);

void add_config(CLI::App& app, ExitCode& exit);
void add_demo(CLI::App& app, ExitCode& exit);
void add_journal(CLI::App& app, ExitCode& exit);
void add_load(CLI::App& app, ExitCode& exit);
void add_outbox(CLI::App& app, ExitCode& exit);
void add_relay(CLI::App& app, ExitCode& exit);
void add_schema(CLI::App& app, ExitCode& exit);
void add_verify(CLI::App& app, ExitCode& exit);
void add_version(CLI::App& app, ExitCode& exit);

}  // namespace spillway::program
