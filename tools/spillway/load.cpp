// spillway load: publishes at a fixed rate, for tests, drills and measurements.

#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "accept_file.hpp"
#include "accept_logs.hpp"
#include "command.hpp"
#include "kafka_topics.hpp"
#include "load_generator.hpp"
#include "load_report.hpp"
#include "metrics_exposition.hpp"
#include "run_id.hpp"
#include "spillway/pipeline.hpp"
#include "stop_signal.hpp"
#include "terminal.hpp"
#include "text.hpp"

namespace spillway::program {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct LoadOptions {
  ConnectionOptions connection;
  MetricsOptions metrics;
  std::string topic;
  LoadPlan plan;
  double seconds = 10;
  std::string run;
  std::string journal;
  std::string accepted_file;
  std::string accept_log;
  std::string report_file;
  std::string relay;
  std::optional<std::string> objectives;
  std::chrono::milliseconds drain = 10s;
  bool create = false;
  int partitions = 4;
  bool json = false;
};

Config config_of(const LoadOptions& options) {
  std::map<std::string, std::string> flags;
  if (!options.journal.empty()) flags.emplace("journal.path", options.journal);
  if (!options.relay.empty())
    flags.emplace("relay.enabled", options.relay == "on" ? "true" : "false");
  return options.connection.load(std::move(flags)).config;
}

std::string status_of(const LoadGenerator& load, const Metrics& metrics, std::uint64_t before) {
  std::string text = "accepted " + grouped(load.accepted()) + " (" +
                     grouped(load.accepted() - before) + "/s)  delivered " +
                     grouped(metrics.delivered) + "  spilled " + grouped(metrics.spilled) +
                     "  outbox " + grouped(metrics.outbox_queue_depth) + "  in flight " +
                     grouped(metrics.in_flight) + "  lanes";
  for (const LaneMetrics& lane : metrics.lanes)
    text += " " + std::string{name_of(lane.state)};
  return text;
}

// True: a signal ended it.
bool await_end(StopSignal& stop, const LoadGenerator& load, const Pipeline& pipeline) {
  StatusLine status;
  std::uint64_t accepted = 0;
  for (auto shown = Clock::now(); !load.is_done();) {
    if (stop.wait_for(20ms)) return true;
    if (Clock::now() - shown < 1s) continue;
    shown += 1s;
    status.show(status_of(load, pipeline.metrics(), accepted));
    accepted = load.accepted();
  }
  return false;
}

void write_report(const std::string& path, const LoadReport& report) {
  std::ofstream file{path};
  file << json_of(report).dump(2) << '\n';
  if (!file.flush()) throw CommandError{ExitCode::unusable, path + ": cannot be written"};
}

ExitCode verdict_on(const LoadReport& report, bool failed) {
  if (failed)
    throw CommandError{ExitCode::failed,
                       "publish() refused an envelope for good; see journal.record_bytes_max"};
  if (!report.settled) {
    throw CommandError{ExitCode::failed,
                       grouped(report.metrics.in_flight) +
                           " envelopes are not settled yet; they stay in the journal, and the "
                           "next start on it delivers them"};
  }
  const std::string missed = missed_of(report.objectives);
  if (!missed.empty()) throw CommandError{ExitCode::missed, missed};
  return ExitCode::passed;
}

ExitCode run_load(const LoadOptions& options) {
  LoadReport report{.topic = options.topic, .plan = options.plan};
  std::vector<Objective> objectives;
  if (options.objectives) objectives = parse_objectives(*options.objectives);
  const bool goes_on = !options.run.empty();
  report.plan.run = goes_on ? parse_run_id(options.run) : random_run_id();
  if (options.seconds > 0) {
    report.plan.duration = std::chrono::round<std::chrono::nanoseconds>(
        std::chrono::duration<double>{options.seconds});
  }
  const Config config = config_of(options);
  if (options.create) {
    create_topic(config.kafka, {.name = options.topic, .partitions = options.partitions}, 30s);
  }
  std::optional<AcceptFile> accepted;
  if (!options.accepted_file.empty()) {
    accepted.emplace(options.accepted_file, options.plan.publishers, goes_on);
    report.first_publisher = accepted->first_publisher();
  }
  std::optional<AcceptLogs> logs;
  if (!options.accept_log.empty()) {
    const std::uint32_t next = AcceptLogs::next_publisher(options.accept_log, goes_on);
    if (!accepted) report.first_publisher = next;
    logs.emplace(options.accept_log, options.topic, report.plan.run, report.first_publisher,
                 options.plan.publishers);
  }
  report.plan.first_publisher = report.first_publisher;

  StopSignal stop;  // before any thread is started
  Pipeline pipeline = Pipeline::open(config);
  const Topic topic = pipeline.topic(options.topic);
  const MetricsServer metrics{options.metrics, [&pipeline] { return pipeline.metrics(); }};
  LoadGenerator load{pipeline, topic, report.plan, accepted ? &*accepted : nullptr,
                     logs ? &*logs : nullptr};
  report.stopped = await_end(stop, load, pipeline);
  load.stop();
  report.seconds = std::chrono::duration<double>(load.elapsed()).count();
  report.accepted = load.accepted();
  report.refused = load.refused();
  load.add_latency(0, report.latency);

  const auto drained_by = Clock::now() + options.drain;
  report.settled = pipeline.flush(drained_by);
  report.metrics = pipeline.metrics();
  const bool failed = load.has_failed();
  const bool closed = pipeline.close(drained_by + 1s);
  report.settled = report.settled && closed;
  report.objectives = judge(objectives, report);
  if (!options.report_file.empty()) write_report(options.report_file, report);
  if (options.json) {
    std::cout << json_of(report).dump(2) << '\n';
  } else {
    print(std::cout, report);
  }
  return verdict_on(report, failed);
}

void add_flags(CLI::App& command, LoadOptions& options) {
  command.add_option("--topic", options.topic, "Where to")->required()->type_name("NAME");
  command.add_option("--rate", options.plan.per_second, "Envelopes a second, of all publishers")
      ->check(CLI::Range(0.001, 1e7))
      ->capture_default_str();
  command.add_option("--duration", options.seconds, "Seconds; 0: until SIGTERM")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--publishers", options.plan.publishers, "Threads that publish")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  command.add_option("--payload", options.plan.payload_bytes, "Bytes of each payload")
      ->check(CLI::Range(payload_bytes_min, std::size_t{100} << 20))
      ->capture_default_str();
  command.add_option("--keys", options.plan.keys, "How many different keys")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40))
      ->capture_default_str();
  command
      .add_option(
          "--run", options.run,
          "Hex id in each payload; default: a random one. Given again with the same --accepted "
          "file, its publishers are new ones of the same run")
      ->type_name("ID");
  command.add_option("--journal", options.journal, "Same as --set journal.path=FILE")
      ->type_name("FILE");
  command
      .add_option("--accepted", options.accepted_file,
                  "Keeps how many envelopes of each publisher were accepted, true after a kill -9")
      ->type_name("FILE");
  command
      .add_option("--accept-log", options.accept_log,
                  "Keeps each call of publish(), a file for each publisher, for `spillway verify "
                  "--full`; true after a kill -9")
      ->type_name("DIR");
  command.add_option("--report", options.report_file, "Writes the report as JSON")
      ->type_name("FILE");
  command.add_option("--relay", options.relay, "Whether this process forwards the outbox too")
      ->check(CLI::IsMember({"on", "off"}));
  command
      .add_option("--slo", options.objectives,
                  "Objectives; ends with 99 when one is missed, as `ack_p99=50ms,lost=0`: publish, "
                  "due, ack or outbox with _p50, _p90, _p99, _p999 or _max (publish is the call "
                  "alone, due counts from the moment due); lost, spilled, dead_letters, refused; "
                  "at least: rate")
      ->type_name("NAME=LIMIT,...");
  add_duration(command, "--drain", options.drain, "How long to wait for the last envelopes");
  command.add_flag("--create-topic", options.create, "Creates the topic when it is missing");
  command.add_option("--partitions", options.partitions, "Of a topic that is created")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command.add_flag("--json", options.json, "The report as JSON on standard output");
}

}  // namespace

void add_load(CLI::App& app, ExitCode& exit) {
  const auto options = std::make_shared<LoadOptions>();
  CLI::App& command =
      *app.add_subcommand("load", "Publish at a fixed rate, and measure from the moment due");
  options->connection.add_to(command);
  options->metrics.add_to(command);
  add_flags(command, *options);
  command.footer(
      "A payload is `run=<16 hex> publisher=<4 digits> n=<12 digits> at=<19 digits, unix ns> `, "
      "padded with spaces;\nn counts from 0 for each publisher, `at` is the moment it was due. "
      "SIGTERM "
      "ends the load and drains.\n\nExample:\n"
      "  spillway load --topic orders --create-topic --rate 20000 --duration 30 --publishers 4\n"
      "  spillway load --topic orders --rate 20000 --slo publish_p99=10us,ack_p99=50ms,lost=0");
  command.callback([options, &exit] { exit = run_load(*options); });
}

}  // namespace spillway::program
