// spillway schema: prints or applies the outbox's tables and roles.

#include <iostream>
#include <memory>

#include "command.hpp"
#include "spillway/outbox.hpp"

namespace spillway::program {
namespace {

struct SchemaOptions {
  ConnectionOptions connection;
  bool apply = false;
};

ExitCode run_schema(const SchemaOptions& options) {
  if (!options.apply) {
    std::cout << schema_sql();
    return ExitCode::passed;
  }
  Outbox::open(options.connection.load().config).apply_schema();
  std::cout << "schema spillway is there\n";
  return ExitCode::passed;
}

}  // namespace

void add_schema(CLI::App& app, ExitCode& exit) {
  const auto options = std::make_shared<SchemaOptions>();
  CLI::App& command = *app.add_subcommand("schema", "Print or apply the outbox's tables and roles");
  options->connection.add_to(command);
  command.add_flag("--apply", options->apply, "Create what is missing; again: no change");
  command.footer(
      "Example:\n  spillway schema > outbox.sql        # for whoever owns the database\n"
      "  spillway schema --apply --postgres \"host=db dbname=spillway user=owner\"");
  command.callback([options, &exit] { exit = run_schema(*options); });
}

}  // namespace spillway::program
