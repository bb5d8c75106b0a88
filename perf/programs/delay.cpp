// perf/programs/delay.cpp: how long a row waits in the outbox while Kafka is up: from its
// transaction's start to Kafka's ack (F7, outbox_processing_delay).
//
//   COPY, COMMIT ──wake──► relay ──read──► ──produce──► acked
//
// The lane is made to spill. Variants: the relay in the pipeline, or in another process; tokens by
// Redis, or none. The baseline is the sum of its parts, each alone: LPUSH to BLPOP, reading one row
// by its key, one message acked.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "perf/common/outbox_rows.hpp"
#include "perf/common/pacer.hpp"
#include "perf/common/program.hpp"
#include "perf/common/raw_producer.hpp"
#include "perf/common/redis_session.hpp"
#include "perf/common/relay_process.hpp"
#include "perf/common/run_database.hpp"
#include "perf/common/run_topic.hpp"
#include "perf/common/scratch_journal.hpp"
#include "perf/common/wire.hpp"
#include "spillway/pipeline.hpp"
#include "tools/spillway/command.hpp"
#include "tools/spillway/load_generator.hpp"

namespace spillway::perf {
namespace {

using namespace std::chrono_literals;

constexpr auto relayed_within = 60s;

struct Options {
  std::vector<double> rates;
  std::chrono::milliseconds slice{20s};
};

struct Variant {
  const char* name;
  bool other_process;
  bool redis;
};
constexpr std::array variants{Variant{"relay inside", false, true},
                              Variant{"relay inside, without Redis", false, false},
                              Variant{"relay in another process", true, true},
                              Variant{"relay in another process, without Redis", true, false}};

// ---- The floors ----

struct Floor {
  double p50_ms = 0;
  double p99_ms = 0;
};

template <class Once>
Floor floor_of(const char* part, std::size_t times, Once once) {
  program::Histogram spans;
  for (std::size_t n = 0; n < times; ++n)
    spans.count(once(n));
  const auto ms = [&spans](double quantile) {
    return static_cast<double>(spans.quantile(quantile).count()) / 1e6;
  };
  const Floor floor{.p50_ms = ms(0.5), .p99_ms = ms(0.99)};
  const auto put = [part](const char* quantile, double value) {
    put_sample({.figure = "F7",
                .metric = std::string{"floor "} + quantile,
                .unit = "ms",
                .variant = part,
                .better = Better::less},
               {.value = value});
  };
  put("p50", floor.p50_ms);
  put("p99", floor.p99_ms);
  return floor;
}

// From before LPUSH until BLPOP has returned on another thread.
Floor wake_floor(const Config& config, std::size_t times) {
  const std::string list = config.redis.list + ":floor";
  RedisSession pushing{config.redis.url};
  RedisSession popping{config.redis.url};
  return floor_of("LPUSH to BLPOP", times, [&](std::size_t) {
    Moment popped;
    std::jthread waiting{[&] {
      popping.pop(list);
      popped.note(Clock::now());
    }};
    std::this_thread::sleep_for(1ms);  // it waits by then
    const auto from = Clock::now();
    pushing.push(list);
    waiting.join();
    return *popped.get() - from;
  });
}

Floor copy_floor(SqlSession& sql, const RowShape& shape, std::size_t times) {
  return floor_of("COPY of one row", times, [&](std::size_t n) {
    const auto row = encode_rows(shape, {.first_seq = static_cast<std::int64_t>(n) + 1, .rows = 1});
    const auto from = Clock::now();
    sql.copy(copy_rows_sql(), row);
    return Clock::now() - from;
  });
}

// Of the rows that copy_floor() has left.
Floor read_floor(SqlSession& sql, std::size_t times) {
  sql.prepare("floor",
              "SELECT * FROM spillway.outbox WHERE instance = 1 AND lane = 0 AND seq > "
              "$1::bigint ORDER BY seq LIMIT 1");
  return floor_of("reading one row", times, [&](std::size_t n) {
    const BigEndian after{static_cast<std::int64_t>(n)};
    const auto from = Clock::now();
    sql.execute("floor", std::vector{after.bytes()});
    return Clock::now() - from;
  });
}

Floor ack_floor(const KafkaConfig& kafka, const std::string& topic, std::size_t times) {
  RawProducer producer{kafka, topic, {.properties = {{"linger.ms", "1"}}}};  // as a relay's
  const std::string payload(RowShape{}.payload_bytes, 'p');
  return floor_of("one message acked", times, [&](std::size_t n) {
    const auto from = Clock::now();
    static_cast<void>(producer.send("key", bytes_of(payload)));
    while (producer.acked() <= n)
      producer.poll(100ms);
    return Clock::now() - from;
  });
}

// Of all that stands between COMMIT and ack, with tokens.
Floor measure_floors(const RunDatabase& database, const Config& config, const RowShape& shape,
                     std::size_t times) {
  SqlSession sql = database.session();
  const Floor wake = wake_floor(config, times);
  static_cast<void>(copy_floor(sql, shape, times));
  const Floor read = read_floor(sql, times);
  const Floor ack = ack_floor(config.kafka, shape.topic, times);
  sql.run("TRUNCATE spillway.outbox");
  return {.p50_ms = wake.p50_ms + read.p50_ms + ack.p50_ms,
          .p99_ms = wake.p99_ms + read.p99_ms + ack.p99_ms};
}

// ---- The delay ----

class Spilling {
 public:
  Spilling(const Config& config, std::string topic, Options options)
      : config_{config}, topic_{std::move(topic)}, options_{std::move(options)} {
    config_.lanes.count = 1;
    config_.lanes.force_spill = {0};
  }

  // Nothing: the rate was not held, or the rows did not get through; told.
  std::optional<Delays> measure(const Variant& variant, double rate, const std::string& name) {
    const ScratchJournal journal;
    Config config = config_;
    config.journal.path = journal.path();
    config.relay.enabled = !variant.other_process;
    if (!variant.redis) config.redis.url.clear();
    std::optional<RelayProcess> other;
    if (variant.other_process) other.emplace(config);
    Pipeline pipeline = Pipeline::open(config);
    if (!publish(pipeline, rate, name)) return std::nullopt;
    if (other) return other->end();
    return delays_of(pipeline.metrics().outbox_processing_delay);
  }

 private:
  bool publish(Pipeline& pipeline, double rate, const std::string& name) {
    program::LoadGenerator load{pipeline,
                                pipeline.topic(topic_),
                                {.per_second = rate, .duration = options_.slice},
                                nullptr};
    while (!load.is_done())
      std::this_thread::sleep_for(10ms);
    const bool held = load.elapsed() < options_.slice + options_.slice / 20 + 100ms;
    const auto deadline = Clock::now() + relayed_within;
    bool is_through = pipeline.flush(deadline);
    while (is_through && pipeline.counters().outbox_queue_depth != 0) {
      is_through = Clock::now() < deadline;
      std::this_thread::sleep_for(10ms);
    }
    if (!held) put_void("F7", name, "the rate was not held");
    if (!is_through) put_void("F7", name, "the rows were not relayed in time");
    return held && is_through;
  }

  Config config_;
  std::string topic_;
  Options options_;
};

void measure(const Program& program, Options options) {
  if (options.rates.empty()) options.rates = {1, 10, 100, 1'000, 10'000};
  if (program.is_quick()) options.slice = std::min<std::chrono::milliseconds>(options.slice, 2s);
  const std::size_t times = program.is_quick() ? 100 : 2'000;
  const RunDatabase database{program.config()};
  const RunTopic topic{program.config().kafka, "delay", 1};
  const Config config = database.on_it(program.config());
  program.put_settings({{"rates", options.rates}, {"slice_ms", options.slice.count()}});
  const Floor floor = measure_floors(database, config, {.topic = topic.name()}, times);
  Spilling spilling{config, topic.name(), options};
  for (std::size_t run = 0; run < program.pairs(); ++run) {
    for (const Variant& variant : variants) {
      for (const double rate : options.rates) {
        if (program.is_over()) return;
        const std::string name =
            std::string{variant.name} + ", " + std::to_string(static_cast<int>(rate)) + " rows/s";
        const auto delays = spilling.measure(variant, rate, name);
        if (!delays) continue;
        const auto put = [&](const char* metric, double value, double baseline) {
          put_sample({.figure = "F7",
                      .metric = metric,
                      .unit = "ms",
                      .variant = name,
                      .better = Better::less},
                     {.value = value,
                      .run = run,
                      .parts = {{"rows", delays->rows}},
                      .baseline = baseline});
        };
        put("processing delay p50", delays->p50_ms, floor.p50_ms);
        put("processing delay p99", delays->p99_ms, floor.p99_ms);
        note(name + ": p50 " + std::to_string(delays->p50_ms) + " ms, p99 " +
             std::to_string(delays->p99_ms) + " ms");
      }
    }
  }
}

}  // namespace
}  // namespace spillway::perf

int main(int argc, char** argv) {
  using namespace spillway::perf;
  Program program{{.name = "delay",
                   .about = "How long a row waits in the outbox while Kafka is up.",
                   .pairs = 3,
                   .pairs_quick = 1,
                   .seconds = 1'800,
                   .seconds_quick = 90}};
  Options options;
  bool is_relay = false;
  program.flags().add_option("--rate", options.rates,
                             "Rows a second, several times; default: 1, 10, 100, 1000, 10000");
  spillway::program::add_duration(program.flags(), "--slice", options.slice, "Of each rate");
  add_relay_flag(program.flags(), is_relay);
  return program.run(argc, argv, [&] {
    if (is_relay)
      run_relay(program.config());
    else
      measure(program, options);
  });
}
