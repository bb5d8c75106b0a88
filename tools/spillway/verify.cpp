// spillway verify: audits a topic, the outbox and the dead letters against the promises.

#include <iostream>
#include <memory>
#include <string>

#include "command.hpp"
#include "run_id.hpp"
#include "verify/report.hpp"
#include "verify/sources.hpp"
#include "verify_request.hpp"

namespace spillway::program {
namespace {

struct VerifyOptions {
  ConnectionOptions connection;
  std::string topic;
  std::string run;
  std::string accepted_file;
  std::string accept_logs;
  bool whole_streams = false;
  bool json = false;
};

ExitCode exit_code_of(verify::Verdict verdict) noexcept {
  switch (verdict) {
    case verify::Verdict::passed:
      return ExitCode::passed;
    case verify::Verdict::violated:
      return ExitCode::failed;
    case verify::Verdict::inconclusive:
      return ExitCode::inconclusive;
  }
  return ExitCode::inconclusive;
}

ExitCode run_verify(const VerifyOptions& options) {
  verify::AuditRequest request = verify_request(options.connection.load().config, options.topic);
  if (!options.run.empty()) request.scope.run = parse_run_id(options.run);
  request.accepted_file = options.accepted_file;
  request.accept_logs = options.accept_logs;
  request.scope.whole_streams = options.whole_streams;

  const verify::AuditResult result = verify_with_progress(request);
  std::cout << (options.json ? json_report(result) : text_report(result));
  return exit_code_of(result.verdict());
}

}  // namespace

void add_verify(CLI::App& app, ExitCode& exit) {
  const auto options = std::make_shared<VerifyOptions>();
  CLI::App& command = *app.add_subcommand(
      "verify", "Audit a topic: nothing lost, nothing out of order, no unexplained duplicate");
  options->connection.add_to(command);
  command.add_option("--topic", options->topic, "The topic")->required()->type_name("NAME");
  command.add_option("--run", options->run, "Judge this run of `spillway load` only; default: all")
      ->type_name("ID");
  command
      .add_option("--accepted", options->accepted_file,
                  "What `spillway load --accepted` wrote; without it, a gap in a publisher's count "
                  "is a loss")
      ->type_name("FILE");
  command
      .add_option("--full", options->accept_logs,
                  "What `spillway load --accept-log` wrote: judges contents and the order of calls "
                  "too, and each record by name")
      ->type_name("DIR")
      ->excludes("--accepted");
  command.add_flag("--whole-streams", options->whole_streams,
                   "All that was ever published from these journals went to this topic: a number "
                   "that is nowhere is a gap");
  command.add_flag("--json", options->json, "One JSON object");
  command.footer(
      "Reads the whole topic, after the outbox and the dead letters. Any topic that Spillway "
      "publishes to can be\naudited: payloads of other programs are judged by their positions. "
      "Judge "
      "when the publishers have ended: what\na journal still holds counts as lost.\n\nExample:\n"
      "  spillway verify --topic orders --run 00000000000000aa --accepted /tmp/accepted");
  command.callback([options, &exit] { exit = run_verify(*options); });
}

}  // namespace spillway::program
