// tools/spillway/main.cpp: the program spillway: which subcommand, and how it ended.

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "command.hpp"
#include "spillway/error.hpp"
#include "terminal.hpp"

namespace spillway::program {
namespace {

constexpr const char* footer = R"text(Example:
  eval "$(tools/stack env)"
  spillway schema --apply && spillway relay

Exit codes: 0 passed, 1 what was checked is not so, 2 wrong flags or settings, 3 a server or a file could
not be used, 4 ended before there was an answer, 99 an objective was missed (load --slo). Each subcommand
has its own --help.)text";

void add_all(CLI::App& app, ExitCode& exit) {
  add_demo(app, exit);
  add_load(app, exit);
  add_verify(app, exit);
  add_relay(app, exit);
  add_outbox(app, exit);
  add_journal(app, exit);
  add_schema(app, exit);
  add_config(app, exit);
  add_version(app, exit);
}

// "outbox ls", as far as it was recognized.
std::string chosen_command(const CLI::App& app) {
  std::string name;
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    name += " " + at->get_name();
  }
  return name;
}

ExitCode fail(const CLI::App& app, ExitCode code, const std::string& text) {
  const std::string who =
      coloured(STDERR_FILENO, Colour::red, "spillway" + chosen_command(app) + ":");
  std::cout.flush();
  std::cerr << who << " " << text << "\n";
  return code;
}

ExitCode fail(const CLI::App& app, const ConfigError& error) {
  for (const std::string& violation : error.violations())
    fail(app, ExitCode::usage, violation);
  return ExitCode::usage;
}

ExitCode run(int argc, char** argv) {
  CLI::App app{"Kafka first, a Postgres outbox when Kafka is away.", "spillway"};
  ExitCode exit = ExitCode::passed;
  app.footer(footer);
  add_all(app, exit);
  try {
    app.parse(argc, argv);
    if (!app.get_subcommands().empty()) return exit;
    return fail(app, ExitCode::usage, "which subcommand? spillway --help lists them");
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help
      app.exit(error);
      return ExitCode::passed;
    }
    return fail(app, ExitCode::usage, std::string{error.what()} + "; try --help");
  } catch (const CommandError& error) {
    return fail(app, error.code(), error.what());
  } catch (const ConfigError& error) {
    return fail(app, error);
  } catch (const std::exception& error) {  // StartError, or the machine is out of something
    return fail(app, ExitCode::unusable, error.what());
  }
}

}  // namespace
}  // namespace spillway::program

int main(int argc, char** argv) {
  try {
    return static_cast<int>(spillway::program::run(argc, argv));
  } catch (const std::exception&) {  // Not even an error could be printed.
    return static_cast<int>(spillway::program::ExitCode::unusable);
  }
}
