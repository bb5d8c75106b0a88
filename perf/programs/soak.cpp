// perf/programs/soak.cpp: minutes or hours of load, with one outage after the other: whether
// memory, descriptors, the outbox's files or the slowest calls of publish() grow.
//
// The outages take turns: Kafka killed, Kafka stopped, Postgres killed, Redis killed, Kafka and
// Postgres killed. Between two of them everything is well for twice as long. What is told are
// series, and counts that have to be 0 at the end.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "perf/common/outage.hpp"
#include "perf/common/own_process.hpp"
#include "perf/common/pacer.hpp"
#include "perf/common/program.hpp"
#include "perf/common/run_database.hpp"
#include "perf/common/run_topic.hpp"
#include "perf/common/scratch_journal.hpp"
#include "tools/spillway/command.hpp"
#include "tools/spillway/load_generator.hpp"

namespace spillway::perf {
namespace {

using namespace std::chrono_literals;
using program::LoadGenerator;

constexpr const char* figure = "soak";
constexpr auto step = 1s;
constexpr std::size_t steps_in_a_window = 10;  // of p99.99
constexpr auto back_within = 120s;

struct Options {
  double minutes = 0;
  double per_second = 5'000;
  std::chrono::milliseconds away = 5s;
};

struct Turn {
  const char* name;
  std::vector<const char*> killed;
  bool kafka_hangs = false;
};

const std::array turns{Turn{"Kafka killed", {"kafka"}}, Turn{"Kafka stopped", {}, true},
                       Turn{"Postgres killed", {"postgres"}}, Turn{"Redis killed", {"redis"}},
                       Turn{"Kafka and Postgres killed", {"kafka", "postgres"}}};

// What runs when it ends, however it ends.
class Away {
 public:
  Away(const program::StackControl& stack, const Turn& turn) : stack_{stack}, turn_{turn} {
    for (const char* server : turn_.killed)
      stack_.run({"kill", server});
    if (turn_.kafka_hangs) stack_.run({"pause", "kafka"});
  }
  Away(const Away&) = delete;
  Away& operator=(const Away&) = delete;
  ~Away() {
    try {
      for (const char* server : turn_.killed)
        stack_.run({"start", server});
      if (turn_.kafka_hangs) stack_.run({"resume", "kafka"});
    } catch (const std::exception& error) {
      note(error.what());
    }
  }

 private:
  const program::StackControl& stack_;
  const Turn& turn_;
};

// ---- What is looked at each second ----

class Gauges {
 public:
  Gauges(const Pipeline& pipeline, const LoadGenerator& load, const RunDatabase& database)
      : pipeline_{pipeline},
        load_{load},
        database_{database},
        thread_{[this](const std::stop_token& stop) { look(stop); }} {}

  [[nodiscard]] double seconds() const noexcept {
    return std::chrono::duration<double>(Clock::now() - begun_).count();
  }
  void put() {
    thread_.request_stop();
    thread_.join();
    put_one("resident memory", "MiB", resident_);
    put_one("descriptors", "1", descriptors_);
    put_one("outbox depth", "rows", depth_);
    put_one("outbox table", "MiB", table_);
    put_one("outbox index", "MiB", index_);
    put_one("dead rows", "rows", dead_);
    put_one("publish() p99.99", "us", slowest_, steps_in_a_window);
    put_growth("resident memory", "MiB", resident_);
    put_growth("descriptors", "1", descriptors_);
  }

 private:
  void look(const std::stop_token& stop) {
    program::PublishLatency seen;
    for (auto due = begun_ + step; !stop.stop_requested(); due += step) {
      await(due);
      resident_.push_back(resident_mib());
      descriptors_.push_back(perf::descriptors());
      depth_.push_back(static_cast<double>(pipeline_.counters().outbox_queue_depth));
      ask_postgres();
      if (resident_.size() % steps_in_a_window == 0) look_at_calls(seen);
    }
  }
  void look_at_calls(program::PublishLatency& seen) {
    program::PublishLatency all;
    load_.add_latency(0, all);
    program::Histogram fresh = all.call;
    fresh.subtract(seen.call);
    slowest_.push_back(static_cast<double>(fresh.quantile(0.9999).count()) / 1e3);
    seen = std::move(all);
  }
  // While it is away, what it said last.
  void ask_postgres() {
    try {
      SqlSession sql = database_.session();
      const auto mib = [&sql](const char* size) {
        return static_cast<double>(sql.number(size)) / (1 << 20);
      };
      const double table = mib("SELECT pg_table_size('spillway.outbox')");
      const double index = mib("SELECT pg_indexes_size('spillway.outbox')");
      const double dead = static_cast<double>(sql.number(
          "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = 'spillway.outbox'::regclass"));
      table_.push_back(table);
      index_.push_back(index);
      dead_.push_back(dead);
    } catch (const program::CommandError&) {
      for (auto* values : {&table_, &index_, &dead_})
        values->push_back(values->empty() ? 0 : values->back());
    }
  }
  static void put_one(const char* name, const char* unit, const std::vector<double>& values,
                      std::size_t steps = 1) {
    const double step_s = std::chrono::duration<double>(step).count() * static_cast<double>(steps);
    put_series({.figure = figure, .metric = name, .unit = unit, .variant = "all"},
               {.series = name, .step_s = step_s, .values = values});
  }
  // The most of the last fifth against the most of the second: the first warms up.
  static void put_growth(const char* name, const char* unit, const std::vector<double>& values) {
    const auto fifth = static_cast<std::ptrdiff_t>(values.size() / 5);
    if (fifth == 0) return;
    const auto most = [&](std::ptrdiff_t part) {
      return *std::max_element(values.begin() + part * fifth, values.begin() + (part + 1) * fifth);
    };
    put_sample({.figure = figure,
                .metric = std::string{name} + ", end against begin",
                .unit = unit,
                .variant = "all",
                .better = Better::less},
               {.value = most(4), .baseline = most(1)});
  }

  const Pipeline& pipeline_;
  const LoadGenerator& load_;
  const RunDatabase& database_;
  Clock::time_point begun_ = Clock::now();
  std::vector<double> resident_;
  std::vector<double> descriptors_;
  std::vector<double> depth_;
  std::vector<double> table_;
  std::vector<double> index_;
  std::vector<double> dead_;
  std::vector<double> slowest_;
  std::jthread thread_;  // last
};

// ---- The run ----

void put_laws(const Pipeline& pipeline, std::uint64_t refused) {
  const Metrics end = pipeline.metrics();
  const auto put = [](const char* metric, std::uint64_t value) {
    put_count({.figure = figure, .metric = metric, .unit = "1", .variant = "all"},
              static_cast<double>(value), 0);
  };
  const std::uint64_t accounted = end.delivered + end.spilled + end.dead_lettered + end.in_flight;
  put("accepted and not accounted for",
      std::max(end.accepted, accounted) - std::min(end.accepted, accounted));
  put("not settled at the end", end.in_flight);
  put("left in the outbox", end.outbox_queue_depth);
  put("dead letters", end.dead_lettered + end.relay.dead_lettered);
  put("journal full", refused);
  put_sample({.figure = figure, .metric = "accepted", .unit = "1", .variant = "all"},
             {.value = static_cast<double>(end.accepted),
              .parts = {{"delivered", static_cast<double>(end.delivered)},
                        {"spilled", static_cast<double>(end.spilled)},
                        {"relayed", static_cast<double>(end.relay.relayed)}}});
}

void measure(const Program& program, Options options) {
  if (options.minutes == 0) options.minutes = program.is_quick() ? 1 : 30;
  const program::StackControl stack{""};
  const RunDatabase database{program.config()};
  const RunTopic topic{program.config().kafka, "soak", 4};
  const ScratchJournal journal;
  Config config = database.on_it(program.config());
  config.relay.enabled = true;
  config.journal.path = journal.path();
  config.journal.size_bytes = std::size_t{256} << 20;
  program.put_settings({{"minutes", options.minutes},
                        {"rate", options.per_second},
                        {"away_ms", options.away.count()}});

  Pipeline pipeline = Pipeline::open(config);
  LoadGenerator load{
      pipeline, pipeline.topic(topic.name()), {.per_second = options.per_second}, nullptr};
  Gauges gauges{pipeline, load, database};
  const auto end = Clock::now() + std::chrono::round<Clock::duration>(
                                      std::chrono::duration<double>(60 * options.minutes));
  for (std::size_t n = 0; Clock::now() < end; ++n) {
    const Turn& turn = turns[n % turns.size()];
    std::this_thread::sleep_for(2 * options.away);
    const double from = gauges.seconds();
    {
      const Away away{stack, turn};
      std::this_thread::sleep_for(options.away);
    }
    put_fault(figure, "all", {.label = turn.name, .from_s = from, .to_s = gauges.seconds()});
    if (!await_direct(pipeline, 1s, Clock::now() + back_within)) {
      put_void(figure, "all", std::string{"after "} + turn.name + " the lanes have not come back");
    }
    note(std::to_string(gauges.seconds()) + " s: " + turn.name + " is over");
  }
  const std::uint64_t refused = load.refused();
  load.stop();
  const auto deadline = Clock::now() + back_within;
  static_cast<void>(pipeline.flush(deadline));
  while (pipeline.counters().outbox_queue_depth != 0 && Clock::now() < deadline)
    std::this_thread::sleep_for(20ms);
  gauges.put();
  put_laws(pipeline, refused);
}

}  // namespace
}  // namespace spillway::perf

int main(int argc, char** argv) {
  using namespace spillway::perf;
  Program program{{.name = "soak",
                   .about = "Load for a long time, with one outage after the other: whether "
                            "anything grows.",
                   .pairs = 1,
                   .pairs_quick = 1}};
  Options options;
  program.flags().add_option("--minutes", options.minutes,
                             "How long; default: 30, or 1 with --quick");
  program.flags()
      .add_option("--rate", options.per_second, "Envelopes a second")
      ->capture_default_str();
  spillway::program::add_duration(program.flags(), "--away", options.away,
                                  "How long each outage lasts");
  return program.run(argc, argv, [&] { measure(program, options); });
}
