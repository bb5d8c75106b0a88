// spillway demo: kills the broker under load, starts it again, and shows that nothing was lost.

#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "command.hpp"
#include "demo_drill.hpp"
#include "demo_result.hpp"
#include "demo_view.hpp"
#include "metrics_exposition.hpp"
#include "run_id.hpp"
#include "spillway/outbox.hpp"
#include "stack_control.hpp"
#include "stop_signal.hpp"
#include "terminal.hpp"
#include "text.hpp"

namespace spillway::program {
namespace {

struct DemoOptions {
  ConnectionOptions connection;
  MetricsOptions metrics;
  DemoPlan plan;
  std::string stack;
  unsigned runs = 1;
  bool strict = false;
  bool json = false;
};

// What --metrics-port shows: the run that has a pipeline just now, and nothing between two.
class CurrentMetrics {
 public:
  void offer(std::function<Metrics()> snapshot) {
    const std::scoped_lock lock{mutex_};
    snapshot_ = std::move(snapshot);
  }
  [[nodiscard]] Metrics take() {
    const std::scoped_lock lock{mutex_};
    return snapshot_ ? snapshot_() : Metrics{};
  }

 private:
  std::mutex mutex_;
  std::function<Metrics()> snapshot_;
};

std::string joined(const std::vector<std::string>& reasons) {
  std::string text;
  for (const std::string& reason : reasons)
    text += (text.empty() ? "" : "; ") + reason;
  return text;
}

std::string title_of(const DemoOptions& options, const DemoPlan& plan, unsigned run) {
  std::string title = "run " + hex16(plan.load.run);
  if (options.runs > 1) {
    title += " (" + std::to_string(run + 1) + " of " + std::to_string(options.runs) + ")";
  }
  return title + ": " + std::to_string(plan.load.publishers) + " publishers, " +
         grouped(static_cast<std::uint64_t>(plan.load.per_second)) + " envelopes/s of " +
         std::to_string(plan.load.payload_bytes) + " B";
}

void print_verdict(const std::vector<std::string>& failed, unsigned runs, std::size_t bad_runs) {
  const std::string count =
      runs == 1 ? "" : std::to_string(runs - bad_runs) + " of " + std::to_string(runs) + " runs";
  if (bad_runs == 0) {
    std::cout << coloured(STDOUT_FILENO, Colour::green,
                          "demo: PASS" + (count.empty() ? "" : " (" + count + ")"))
              << '\n';
    return;
  }
  std::cout << coloured(STDOUT_FILENO, Colour::red,
                        "demo: FAIL (" + (count.empty() ? "" : count + "; ") + joined(failed) + ")")
            << '\n';
}

ExitCode run_demo(const DemoOptions& options) {
  const Config config = options.connection.load().config;
  const StackControl stack{options.stack};
  Outbox::open(config).apply_schema();

  StopSignal stop;  // before any thread is started
  CurrentMetrics current;
  const MetricsServer metrics{options.metrics, [&current] { return current.take(); }};
  DemoView view{options.json};
  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  std::vector<std::string> failed;
  std::size_t bad_runs = 0;
  for (unsigned run = 0; run < options.runs; ++run) {
    DemoPlan plan = options.plan;
    plan.load.run = random_run_id();
    plan.keep_topic = run + 1 == options.runs;
    view.begin(title_of(options, plan, run));
    const DemoResult result = run_drill(
        plan, config, stack, stop, view,
        [&current](std::function<Metrics()> snapshot) { current.offer(std::move(snapshot)); });
    const auto reasons = result.failures(options.strict);
    if (!reasons.empty()) ++bad_runs;
    failed.insert(failed.end(), reasons.begin(), reasons.end());
    runs.push_back(json_of(result));
    if (!options.json) {
      std::cout << '\n';
      print(std::cout, result);
      if (!reasons.empty() && options.runs > 1) std::cout << "FAILED: " << joined(reasons) << '\n';
      std::cout << std::flush;
    }
  }
  if (options.json) {
    const nlohmann::ordered_json report{{"pass", bad_runs == 0}, {"runs", runs}};
    std::cout << report.dump(2) << '\n';
  } else {
    print_verdict(failed, options.runs, bad_runs);
  }
  return bad_runs == 0 ? ExitCode::passed : ExitCode::failed;
}

void add_flags(CLI::App& command, DemoOptions& options) {
  DemoPlan& plan = options.plan;
  command.add_option("--rate", plan.load.per_second, "Envelopes a second, of all publishers")
      ->check(CLI::Range(100.0, 1e6))
      ->capture_default_str();
  command.add_option("--publishers", plan.load.publishers, "Threads that publish")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command.add_option("--payload", plan.load.payload_bytes, "Bytes of each payload")
      ->check(CLI::Range(payload_bytes_min, std::size_t{900'000}))
      ->capture_default_str();
  command.add_option("--keys", plan.load.keys, "How many different keys")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40))
      ->capture_default_str();
  command.add_option("--partitions", plan.partitions, "Of the topic that each run makes")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  add_duration(command, "--away", plan.away_for, "How long the broker stays dead");
  add_duration(command, "--at-most", plan.at_most, "A run that takes longer fails");
  command.add_option("--runs", options.runs, "How often")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command
      .add_option(
          "--stack", options.stack,
          "The script that kills and starts the servers; default: $SPILLWAY_STACK, else this "
          "checkout's tools/stack")
      ->type_name("FILE");
  command.add_flag("--strict", options.strict, "A missed time fails the run, too");
  command.add_flag("--json", options.json,
                   "One JSON object on standard output; the show goes to "
                   "standard error");
}

}  // namespace

void add_demo(CLI::App& app, ExitCode& exit) {
  const auto options = std::make_shared<DemoOptions>();
  CLI::App& command = *app.add_subcommand(
      "demo", "Kill the broker under load, start it again, audit that nothing was lost");
  options->connection.add_to(command);
  options->metrics.add_to(command);
  add_flags(command, *options);
  command.footer(
      "Needs the local stack. After three seconds the broker is killed (SIGKILL), three seconds "
      "later "
      "it is started\nagain; the run ends when every lane has been direct for three seconds, and "
      "then "
      "the topic is read and audited\nas `spillway verify` does. A raw librdkafka client beside it "
      "shows how fast Kafka itself came back.\n\nExample:\n"
      "  tools/stack up && eval \"$(tools/stack env)\" && spillway demo");
  command.callback([options, &exit] { exit = run_demo(*options); });
}

}  // namespace spillway::program
