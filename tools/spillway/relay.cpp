// spillway relay: forwards the outbox to Kafka until SIGTERM or SIGINT, then hands over.

#include "spillway/relay.hpp"

#include <chrono>
#include <iostream>
#include <memory>
#include <string>

#include "command.hpp"
#include "metrics_exposition.hpp"
#include "stop_signal.hpp"
#include "terminal.hpp"
#include "text.hpp"

namespace spillway::program {
namespace {

using namespace std::chrono_literals;

struct RelayOptions {
  ConnectionOptions connection;
  MetricsOptions metrics;
  std::string close_within;
};

std::string up(bool is_up, const std::string& server) {
  return coloured(STDERR_FILENO, is_up ? Colour::green : Colour::red,
                  server + (is_up ? " up" : " away"));
}

std::string status_of(const RelayReport& report, std::uint64_t relayed_before) {
  const RelayMetrics& relay = report.relay;
  return "relayed " + grouped(relay.relayed) + " (" + grouped(relay.relayed - relayed_before) +
         "/s)  waiting " + grouped(report.outbox_queue_depth) + "  leases " +
         std::to_string(relay.leases) + "  dead letters " + grouped(relay.dead_lettered) +
         "  delay p99 " + short_time(report.outbox_processing_delay_all.p99_ns) + "  " +
         up(report.servers.kafka_up, "Kafka") + "  " + up(report.servers.postgres_up, "Postgres") +
         "  " + up(report.servers.redis_up, "Redis");
}

void forward_until(StopSignal& stop, const Relay& relay) {
  StatusLine status;
  std::uint64_t relayed = relay.report().relay.relayed;
  while (!stop.wait_for(1s)) {
    const RelayReport report = relay.report();
    status.show(status_of(report, relayed));
    relayed = report.relay.relayed;
  }
}

ExitCode run_relay(const RelayOptions& options) {
  std::map<std::string, std::string> flags;
  if (!options.close_within.empty()) flags.emplace("close_within", options.close_within);
  const Config config = options.connection.load(std::move(flags)).config;

  StopSignal stop;  // before any thread is started
  Relay relay = Relay::open(config);
  const MetricsServer metrics{options.metrics, [&relay] { return relay.report(); }};
  forward_until(stop, relay);

  const bool handed_over = relay.close(std::chrono::steady_clock::now() + config.close_within);
  std::cerr << "relayed " << grouped(relay.report().relay.relayed) << " rows\n";
  if (handed_over) return ExitCode::passed;
  throw CommandError{
      ExitCode::failed,
      "Kafka or Postgres did not answer in time for rows that were sent; they stay in the outbox, "
      "and the next relay sends them again, marked; a longer --close-within avoids that"};
}

}  // namespace

void add_relay(CLI::App& app, ExitCode& exit) {
  const auto options = std::make_shared<RelayOptions>();
  CLI::App& command =
      *app.add_subcommand("relay", "Forward the outbox to Kafka, until SIGTERM; then hand over");
  options->connection.add_to(command);
  options->metrics.add_to(command);
  command
      .add_option("--close-within", options->close_within,
                  "Bound of the hand-over; default: the setting close_within")
      ->type_name("DURATION");
  command.footer(
      "Several may run: each stream is forwarded by one of them at a time.\n\nExample:\n"
      "  spillway relay --config app.toml --metrics-port 9464");
  command.callback([options, &exit] { exit = run_relay(*options); });
}

}  // namespace spillway::program
