// perf/programs/failover.cpp: Kafka goes away under load: how soon everything accepted is safe
// (F8), and what publish() costs meanwhile (F12).
//
//   fault ──detect──► trip ──COPY of the held──► ──COPY of the rest──► all accepted before the trip
//                                                                      is acked or COMMITted
//
// The fault is there when a connection breaks, or when a broker that hangs has been stopped; a
// killed one hangs first, for as long as its memory takes to be given back, and that is told apart.
//
// The baseline of F8 is a naked COPY of as many rows in as many batches, once the broker is back
// and the same load goes on, and what it takes to notice: 5 ms, or `failover_after` where the
// broker hangs. That of F12 is the healthy time of the same run.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "perf/common/counter_series.hpp"
#include "perf/common/outage.hpp"
#include "perf/common/outbox_rows.hpp"
#include "perf/common/program.hpp"
#include "perf/common/run_database.hpp"
#include "perf/common/run_topic.hpp"
#include "perf/common/scratch_journal.hpp"
#include "perf/common/wire.hpp"
#include "tools/spillway/command.hpp"
#include "tools/spillway/load_generator.hpp"

namespace spillway::perf {
namespace {

using namespace std::chrono_literals;
using program::LoadGenerator;
using program::PublishLatency;

constexpr std::chrono::milliseconds noticed_within =
    5ms;  // what the baseline is granted for a broken connection
constexpr auto settled_within = 10s;
constexpr auto back_within = 60s;
constexpr auto healthy_for = 3s;  // longer than lanes spill for after a trip of a series
constexpr auto seen_before = 1s;  // of the series, and for the wire to connect
constexpr auto look_every = 100us;

double ms(Clock::duration span) {
  return std::chrono::duration<double, std::milli>(span).count();
}

struct Options {
  double per_second = 20'000;
  std::size_t publishers = 1;
  std::chrono::milliseconds away = 3s;
  std::chrono::milliseconds long_away = 10s;
  std::size_t long_runs = 5;
  std::vector<Fault> faults{Fault::killed, Fault::hung, Fault::cut};
};

// ---- F8: one failover ----

struct Failover {
  Clock::time_point tripped;
  Clock::time_point held_copied;
  Clock::time_point settled;
  std::uint64_t held;
  std::uint64_t rest;
};

// Of one lane. Nothing: it did not happen by `deadline`.
std::optional<Failover> watch(const Pipeline& pipeline, const Metrics& before,
                              Clock::time_point deadline) {
  const LaneMetrics& lane_before = before.lanes.front();
  std::optional<Clock::time_point> held_copied;
  std::uint64_t held = 0;
  for (std::uint64_t copies = lane_before.held_copies;; std::this_thread::sleep_for(look_every)) {
    const Metrics metrics = pipeline.counters();
    const auto now = Clock::now();
    if (now > deadline) return std::nullopt;
    const LaneMetrics& lane = metrics.lanes.front();
    held = std::max(held, lane.held);
    // Some may be acked after all, and need no copy: the last one that was made counts.
    if (lane.held_copies != copies) held_copied = now;
    copies = lane.held_copies;
    if (metrics.last_failover_ns == before.last_failover_ns) continue;
    // From its trip on the lane tells the time itself.
    const auto tripped = now - std::chrono::nanoseconds{metrics.last_failover_ns};
    return Failover{.tripped = tripped,
                    .held_copied = std::clamp(held_copied.value_or(tripped), tripped, now),
                    .settled = now,
                    .held = held,
                    .rest = metrics.spilled - before.spilled};
  }
}

// The rows' copies in batches as the writer's; nobody is told that they are there.
class NakedCopy {
 public:
  NakedCopy(const RunDatabase& database, RowShape shape, std::size_t batch_rows)
      : sql_{database.session()}, shape_{std::move(shape)}, batch_rows_{batch_rows} {}

  Clock::duration of(std::uint64_t rows) {
    std::vector<std::vector<std::byte>> batches;
    for (std::uint64_t done = 0; done < rows; done += batch_rows_) {
      const auto in_batch = std::min<std::uint64_t>(batch_rows_, rows - done);
      batches.push_back(encode_rows(shape_, {.first_seq = next_seq_, .rows = in_batch}));
      next_seq_ += static_cast<std::int64_t>(in_batch);
    }
    const auto from = Clock::now();
    for (const auto& batch : batches)
      sql_.copy(copy_rows_sql(), batch);
    return Clock::now() - from;
  }

 private:
  SqlSession sql_;
  RowShape shape_;
  std::size_t batch_rows_;
  std::int64_t next_seq_ = 1;
};

// ---- F12: what publish() cost ----

enum Phase : std::size_t { healthy, away, neither };

class PublishCost {
 public:
  explicit PublishCost(std::string variant) : variant_{std::move(variant)} {}

  // Of one run, from `load`'s phases, which go on counting from run to run.
  void put_run(const LoadGenerator& load, std::size_t run) {
    const PublishLatency well = since(load, healthy, seen_healthy_);
    const PublishLatency bad = since(load, away, seen_away_);
    put("publish() p99.9", well.call, bad.call, 0.999, run);
    put("publish() p99.99", well.call, bad.call, 0.9999, run);
    put("publish() p99.9, from the moment due", well.from_due, bad.from_due, 0.999, run);
  }
  // Over all runs.
  void put_histograms() const {
    put_histogram("F12", variant_, Series::baseline, seen_healthy_.call);
    put_histogram("F12", variant_, Series::ours, seen_away_.call);
    put_histogram("F12", variant_ + ", from the moment due", Series::baseline,
                  seen_healthy_.from_due);
    put_histogram("F12", variant_ + ", from the moment due", Series::ours, seen_away_.from_due);
  }

 private:
  static PublishLatency since(const LoadGenerator& load, Phase phase, PublishLatency& seen) {
    PublishLatency all;
    load.add_latency(phase, all);
    PublishLatency fresh = all;
    fresh.call.subtract(seen.call);
    fresh.from_due.subtract(seen.from_due);
    seen = std::move(all);
    return fresh;
  }
  void put(const char* metric, const program::Histogram& well, const program::Histogram& bad,
           double quantile, std::size_t run) const {
    const auto us = [quantile](const program::Histogram& calls) {
      return static_cast<double>(calls.quantile(quantile).count()) / 1e3;
    };
    put_sample({.figure = "F12",
                .metric = metric,
                .unit = "us",
                .variant = variant_,
                .better = Better::less},
               {.value = us(bad), .run = run, .baseline = us(well)});
  }

  std::string variant_;
  PublishLatency seen_healthy_;
  PublishLatency seen_away_;
};

// ---- The runs ----

class Drill {
 public:
  Drill(const Program& program, const Options& options, const program::StackControl& stack)
      : program_{program}, options_{options}, stack_{stack} {}

  void measure_fault(Fault fault);
  void measure_cost(const std::string& variant, bool without_kafka, bool without_postgres);

 private:
  // A pipeline under load, with servers' state of its own.
  struct Stage {
    Stage(const Config& servers, const Options& options);

    RunDatabase database;
    RunTopic topic;
    ScratchJournal journal;
    Config config;
    Pipeline pipeline;
    LoadGenerator load;
  };
  static Config staged(const Stage& stage, const Config& servers);
  // False, and told: it has not become healthy.
  bool await_healthy(Stage& stage, const char* figure, const std::string& variant) const;
  struct Run {
    std::size_t number;
    Clock::time_point signalled;
    Clock::time_point there;
  };
  static void put_failover(Fault fault, const Run& run, const Failover& failover,
                           Clock::duration copy, Clock::duration noticed);

  const Program& program_;
  const Options& options_;
  const program::StackControl& stack_;
};

Config Drill::staged(const Stage& stage, const Config& servers) {
  Config config = stage.database.on_it(servers);
  config.lanes.count = 1;
  config.relay.enabled = true;
  config.journal.path = stage.journal.path();
  config.journal.size_bytes = std::size_t{256} << 20;  // ten seconds without any server
  return config;
}

Drill::Stage::Stage(const Config& servers, const Options& options)
    : database{servers},
      topic{servers.kafka, "failover", 4},
      config{staged(*this, servers)},
      pipeline{Pipeline::open(config)},
      load{pipeline,
           pipeline.topic(topic.name()),
           {.per_second = options.per_second, .publishers = options.publishers},
           nullptr} {
  load.enter_phase(neither);
}

bool Drill::await_healthy(Stage& stage, const char* figure, const std::string& variant) const {
  const bool is_direct = await_direct(stage.pipeline, 1s, Clock::now() + back_within);
  stage.load.enter_phase(healthy);
  if (is_direct && await_direct(stage.pipeline, healthy_for, Clock::now() + 2 * healthy_for)) {
    return true;
  }
  stage.load.enter_phase(neither);
  put_void(figure, variant, "the lanes were not direct for long enough before the fault");
  return false;
}

void Drill::measure_fault(Fault fault) {
  const std::string variant{name_of(fault)};
  Stage stage{reached_by(fault, program_.config()), options_};
  Outage outage{stack_, fault};
  PublishCost cost{variant};
  NakedCopy naked{
      stage.database, {.topic = stage.topic.name()}, stage.config.postgres.batch_rows_max};
  for (std::size_t run = 0; run < program_.pairs() && !program_.is_over(); ++run) {
    if (!await_healthy(stage, "F8", variant)) return;
    std::optional<CounterSeries> series;
    if (run == 0) series.emplace(stage.pipeline);
    const Wire wire{stage.config.kafka.bootstrap_servers};
    await(Clock::now() + seen_before);
    const Metrics before = stage.pipeline.counters();
    const auto signalled = outage.begin();
    stage.load.enter_phase(away);
    const auto failover = watch(stage.pipeline, before, signalled + settled_within);
    await(signalled + options_.away);
    stage.load.enter_phase(neither);
    const auto ended = Clock::now();
    outage.end();
    const bool is_back = await_direct(stage.pipeline, 1s, Clock::now() + back_within);
    if (failover) {
      const auto copy = naked.of(failover->held) + naked.of(failover->rest);
      const auto there = fault == Fault::hung ? signalled : wire.broken().value_or(signalled);
      put_failover(fault, {.number = run, .signalled = signalled, .there = there}, *failover, copy,
                   fault == Fault::hung ? stage.config.lanes.failover_after : noticed_within);
    } else {
      put_void("F8", variant, "no lane has tripped");
    }
    cost.put_run(stage.load, run);
    if (series) {
      put_fault("F8", variant,
                {.label = variant,
                 .from_s = series->seconds_at(signalled),
                 .to_s = series->seconds_at(ended)});
      series->put("F8", variant);
    }
    if (!is_back) {
      put_void("F8", variant, "the lanes have not come back");
      break;
    }
  }
  cost.put_histograms();
}

void Drill::put_failover(Fault fault, const Run& run, const Failover& failover,
                         Clock::duration copy, Clock::duration noticed) {
  const std::string variant{name_of(fault)};
  // The lane may have found it too silent before the connection broke.
  const auto there = std::min(run.there, failover.tripped);
  const std::map<std::string, double> parts{
      {"detect", ms(failover.tripped - there)},
      {"COPY of the held", ms(failover.held_copied - failover.tripped)},
      {"COPY of the rest", ms(failover.settled - failover.held_copied)},
      {"rows held", static_cast<double>(failover.held)},
      {"rows besides", static_cast<double>(failover.rest)},
      {"naked COPY", ms(copy)}};
  const auto put = [&](const char* metric, Clock::time_point from) {
    put_sample({.figure = "F8",
                .metric = metric,
                .unit = "ms",
                .variant = variant,
                .better = Better::less},
               {.value = ms(failover.settled - from),
                .run = run.number,
                .parts = parts,
                .baseline = ms(copy + noticed)});
  };
  put("failover", there);
  if (fault == Fault::killed) put("failover, from the signal", run.signalled);
  note(variant + ", run " + std::to_string(run.number) + ": safe after " +
       std::to_string(ms(failover.settled - there)) + " ms");
}

void Drill::measure_cost(const std::string& variant, bool without_kafka, bool without_postgres) {
  Stage stage{program_.config(), options_};
  Outage outage{stack_, Fault::killed};
  PublishCost cost{variant};
  for (std::size_t run = 0; run < options_.long_runs && !program_.is_over(); ++run) {
    if (!await_healthy(stage, "F12", variant)) return;
    if (without_postgres) stack_.run({"kill", "postgres"});
    const auto begun = without_kafka ? outage.begin() : Clock::now();
    stage.load.enter_phase(away);
    await(begun + options_.long_away);
    stage.load.enter_phase(neither);
    outage.end();
    if (without_postgres) stack_.run({"start", "postgres"});
    cost.put_run(stage.load, run);
    note(variant + ", run " + std::to_string(run) + ": " + std::to_string(stage.load.refused()) +
         " refused so far");
    if (stage.load.refused() != 0) put_void("F12", variant, "the journal was full");
  }
  cost.put_histograms();
}

Fault fault_of(const std::string& word) {
  if (word == "kill") return Fault::killed;
  if (word == "stop") return Fault::hung;
  return Fault::cut;
}

void measure(const Program& program, Options options, const std::vector<std::string>& words) {
  if (program.is_quick()) {
    options.away = std::min<std::chrono::milliseconds>(options.away, 1500ms);
    options.long_away = std::min<std::chrono::milliseconds>(options.long_away, 3s);
    options.long_runs = std::min<std::size_t>(options.long_runs, 1);
  }
  if (!words.empty()) options.faults.clear();
  for (const std::string& word : words)
    options.faults.push_back(fault_of(word));
  const program::StackControl stack{""};
  program.put_settings({{"rate", options.per_second},
                        {"publishers", options.publishers},
                        {"away_ms", options.away.count()},
                        {"long_away_ms", options.long_away.count()},
                        {"long_runs", options.long_runs}});
  Drill drill{program, options, stack};
  for (const Fault fault : options.faults)
    drill.measure_fault(fault);
  drill.measure_cost("Kafka away", true, false);
  drill.measure_cost("Postgres away", false, true);
  drill.measure_cost("Kafka and Postgres away", true, true);
}

}  // namespace
}  // namespace spillway::perf

int main(int argc, char** argv) {
  using namespace spillway::perf;
  Program program{{.name = "failover",
                   .about = "Kafka goes away under load: how soon everything accepted is safe, and "
                            "what publish() costs meanwhile.",
                   .pairs = 50,
                   .pairs_quick = 2,
                   .seconds = 3'600,
                   .seconds_quick = 120}};
  Options options;
  std::vector<std::string> faults;
  CLI::App& flags = program.flags();
  flags.add_option("--rate", options.per_second, "Envelopes a second")->capture_default_str();
  flags.add_option("--publishers", options.publishers, "Threads that publish")
      ->capture_default_str();
  spillway::program::add_duration(flags, "--away", options.away, "How long each fault lasts");
  spillway::program::add_duration(flags, "--long-away", options.long_away,
                                  "The same, where only publish() is looked at");
  flags.add_option("--long-runs", options.long_runs, "How many of these")->capture_default_str();
  flags.add_option("--fault", faults, "kill, stop or cut; default: all three")
      ->check(CLI::IsMember({"kill", "stop", "cut"}));
  return program.run(argc, argv, [&] { measure(program, options, faults); });
}
