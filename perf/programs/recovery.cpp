// perf/programs/recovery.cpp: Kafka is back: how soon the first row of the outbox is acked (F9),
// and how soon the outbox is empty and the lane direct again (F10).
//
//   port opens ─► raw client's first ack ─► the held are acked ─► first row acked ─► outbox empty
//   ─► lane direct
//
// The baseline of F9 is a raw client beside it, warm and with messages waiting: the best that any
// client could do. That of F10 is the backlog at the relay's own pace, as it was while the middle
// half of the rows went through.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "perf/common/counter_series.hpp"
#include "perf/common/outage.hpp"
#include "perf/common/program.hpp"
#include "perf/common/run_database.hpp"
#include "perf/common/run_topic.hpp"
#include "perf/common/scratch_journal.hpp"
#include "perf/common/wire.hpp"
#include "tools/spillway/load_generator.hpp"
#include "tools/spillway/raw_client.hpp"

namespace spillway::perf {
namespace {

using namespace std::chrono_literals;

constexpr double light_load = 2'000;  // before the fault, so that something is held
constexpr auto healthy_for = 3s;
constexpr auto tripped_within = 10s;
constexpr auto back_within = 120s;
constexpr auto look_every = 500us;
constexpr std::uint64_t paced_rows_min = 10'000;  // below, the relay has no pace

double seconds(Clock::duration span) {
  return std::chrono::duration<double>(span).count();
}

double ms(Clock::duration span) {
  return 1e3 * seconds(span);
}

std::string name_of_backlog(std::uint64_t rows) {
  return rows == 1 ? "backlog of a few rows" : "backlog of " + std::to_string(rows) + " rows";
}

struct Recovery {
  Clock::time_point port_open;
  std::optional<Clock::time_point> raw_ack;
  std::optional<Clock::time_point> held_acked;
  std::optional<Clock::time_point> first_row;
  std::optional<Clock::time_point> quarter;  // of the rows
  std::optional<Clock::time_point> three_quarters;
  std::optional<Clock::time_point> outbox_empty;
  std::optional<Clock::time_point> direct;
  std::uint64_t rows = 0;
};

// What happens from the moment the broker is started again.
class RecoveryWatch {
 public:
  RecoveryWatch(const Pipeline& pipeline, const program::RawClient& raw, const Wire& wire)
      : pipeline_{pipeline}, raw_{raw}, wire_{wire}, before_{pipeline.counters()} {
    seen_.rows = before_.outbox_queue_depth;
  }

  // Nothing: the lane is not direct by `deadline`.
  std::optional<Recovery> watch(Clock::time_point deadline) {
    while (!seen_.direct || !seen_.outbox_empty || !raw_.first_ack()) {
      if (Clock::now() > deadline) return std::nullopt;
      std::this_thread::sleep_for(look_every);
      look();
    }
    seen_.port_open = *wire_.opened();
    seen_.raw_ack = raw_.first_ack();
    return seen_;
  }

 private:
  static void note(std::optional<Clock::time_point>& moment, bool is_true, Clock::time_point now) {
    if (!moment && is_true) moment = now;
  }

  void look() {
    // Before the port opens a lane that has not missed Kafka yet would look direct.
    if (!wire_.opened()) return;
    const Metrics metrics = pipeline_.counters();
    const auto now = Clock::now();
    const LaneMetrics& lane = metrics.lanes.front();
    const std::uint64_t acked = metrics.relay.acked - before_.relay.acked;
    note(seen_.held_acked, lane.held == 0, now);
    note(seen_.first_row, acked != 0, now);
    note(seen_.quarter, acked >= seen_.rows / 4, now);
    note(seen_.three_quarters, acked >= seen_.rows / 4 * 3, now);
    note(seen_.outbox_empty, acked != 0 && metrics.outbox_queue_depth == 0, now);
    note(seen_.direct, acked != 0 && lane.state == LaneState::direct, now);
  }

  const Pipeline& pipeline_;
  const program::RawClient& raw_;
  const Wire& wire_;
  Metrics before_;
  Recovery seen_;
};

class Drill {
 public:
  Drill(const Program& program, const program::StackControl& stack, std::uint64_t backlog)
      : program_{program},
        stack_{stack},
        backlog_{backlog},
        variant_{name_of_backlog(backlog)},
        database_{program.config()},
        topic_{program.config().kafka, "recovery", 4},
        raw_topic_{program.config().kafka, "recovery-raw", 1},
        config_{configured()},
        pipeline_{Pipeline::open(config_)},
        into_{pipeline_.topic(topic_.name())},
        raw_{config_.kafka, raw_topic_.name()} {}

  void run_all() {
    for (std::size_t run = 0; run < program_.pairs() && !program_.is_over(); ++run) {
      if (!run_once(run)) return;
    }
  }

 private:
  Config configured() const;
  // False: no use to go on.
  bool run_once(std::size_t run);
  bool fill_outbox();
  void put(std::size_t run, const Recovery& seen) const;

  const Program& program_;
  const program::StackControl& stack_;
  std::uint64_t backlog_;
  std::string variant_;
  RunDatabase database_;
  RunTopic topic_;
  RunTopic raw_topic_;
  ScratchJournal journal_;
  Config config_;
  Pipeline pipeline_;
  Topic into_;
  program::RawClient raw_;
};

Config Drill::configured() const {
  Config config = database_.on_it(program_.config());
  config.lanes.count = 1;
  config.relay.enabled = true;
  config.journal.path = journal_.path();
  return config;
}

bool Drill::run_once(std::size_t run) {
  Outage outage{stack_, Fault::killed};
  {
    program::LoadGenerator load{pipeline_, into_, {.per_second = light_load}, nullptr};
    if (!await_direct(pipeline_, healthy_for, Clock::now() + back_within)) {
      put_void("F9", variant_, "the lane was not direct before the fault");
      return false;
    }
    const std::uint64_t trips = pipeline_.counters().lanes.front().trips;
    const auto begun = outage.begin();
    while (pipeline_.counters().lanes.front().trips == trips) {
      if (Clock::now() > begun + tripped_within) {
        put_void("F9", variant_, "the lane has not tripped");
        return false;
      }
      std::this_thread::sleep_for(look_every);
    }
  }
  if (!fill_outbox()) return false;

  std::optional<CounterSeries> series;
  if (run == 0) series.emplace(pipeline_);
  raw_.forget_acks();
  const Wire wire{config_.kafka.bootstrap_servers};
  RecoveryWatch watch{pipeline_, raw_, wire};
  outage.end();
  const auto seen = watch.watch(Clock::now() + back_within);
  if (!seen) {
    put_void("F10", variant_,
             "the lane was not direct within " +
                 std::to_string(std::chrono::seconds{back_within}.count()) + " s");
    return false;
  }
  put(run, *seen);
  if (series) {
    put_fault("F9", variant_,
              {.label = "Kafka away", .from_s = 0, .to_s = series->seconds_at(seen->port_open)});
    series->put("F9", variant_);
  }
  return true;
}

// All are COMMITted when it returns.
bool Drill::fill_outbox() {
  Publisher publisher = pipeline_.publisher();
  const std::string payload(200, 'p');
  const std::uint64_t there = pipeline_.counters().outbox_queue_depth;
  for (std::uint64_t n = there; n < backlog_; ++n) {
    const std::string key = "key-" + std::to_string(n);
    const Envelope envelope{
        .topic = into_, .key = std::string_view{key}, .payload = bytes_of(payload)};
    if (!publisher.publish_within(back_within, envelope)) {
      put_void("F9", variant_, "the journal was full for too long");
      return false;
    }
  }
  if (pipeline_.flush(Clock::now() + back_within)) return true;
  put_void("F9", variant_, "the backlog was not COMMITted in time");
  return false;
}

void Drill::put(std::size_t run, const Recovery& seen) const {
  const auto since_open = [&](const std::optional<Clock::time_point>& moment) {
    return moment ? ms(*moment - seen.port_open) : 0;
  };
  put_sample({.figure = "F9",
              .metric = "first row acked after the port opened",
              .unit = "ms",
              .variant = variant_,
              .better = Better::less},
             {.value = since_open(seen.first_row),
              .run = run,
              .parts = {{"raw client's first ack", since_open(seen.raw_ack)},
                        {"held acked", since_open(seen.held_acked)},
                        {"first row acked", since_open(seen.first_row)},
                        {"outbox empty", since_open(seen.outbox_empty)},
                        {"lane direct", since_open(seen.direct)}},
              .baseline = since_open(seen.raw_ack)});
  const double all = seconds(*seen.direct - *seen.first_row);
  SampleLine recovered{.value = all, .run = run};
  recovered.parts = {{"first row to empty", seconds(*seen.outbox_empty - *seen.first_row)},
                     {"empty to direct", seconds(*seen.direct - *seen.outbox_empty)},
                     {"rows", static_cast<double>(seen.rows)}};
  if (seen.rows >= paced_rows_min) {
    recovered.baseline = 2 * seconds(*seen.three_quarters - *seen.quarter);
  }
  put_sample({.figure = "F10",
              .metric = "from the first row acked to the lane direct",
              .unit = "s",
              .variant = variant_,
              .better = Better::less},
             recovered);
  note(variant_ + ", run " + std::to_string(run) + ": first row " +
       std::to_string(since_open(seen.first_row)) + " ms after the port opened (raw client " +
       std::to_string(since_open(seen.raw_ack)) + "), direct " + std::to_string(all) + " s later");
}

void measure(const Program& program, std::vector<std::uint64_t> backlogs) {
  if (backlogs.empty()) {
    backlogs = {1, 1'000, 100'000};
    if (!program.is_quick()) backlogs.push_back(1'000'000);
  }
  const program::StackControl stack{""};
  program.put_settings({{"backlogs", backlogs}, {"load_before", light_load}});
  for (const std::uint64_t backlog : backlogs) {
    if (program.is_over()) return;
    Drill{program, stack, backlog}.run_all();
  }
}

}  // namespace
}  // namespace spillway::perf

int main(int argc, char** argv) {
  using namespace spillway::perf;
  Program program{{.name = "recovery",
                   .about = "Kafka is back: how soon the first row of the outbox is acked, the "
                            "outbox empty, and the lane direct again.",
                   .pairs = 20,
                   .pairs_quick = 1,
                   .seconds = 3'000,
                   .seconds_quick = 90}};
  std::vector<std::uint64_t> backlogs;
  program.flags().add_option("--backlog", backlogs,
                             "Rows, several times; default: 1, 1000, 100000, and 1000000 without "
                             "--quick");
  return program.run(argc, argv, [&] { measure(program, backlogs); });
}
