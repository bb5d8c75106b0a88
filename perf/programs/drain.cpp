// perf/programs/drain.cpp: how fast a relay empties a full outbox (F11), and whether a row costs
// more when more rows wait.
//
// The relay runs and is idle when the rows are offered to it, all at once. The baselines: a warm
// raw producer that sends the same bytes from memory; and what most outboxes do, a poller that
// locks 100 rows with SKIP LOCKED, sends them, waits for the acks, deletes them and commits.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "perf/common/outbox_rows.hpp"
#include "perf/common/pacer.hpp"
#include "perf/common/pairs.hpp"
#include "perf/common/program.hpp"
#include "perf/common/raw_producer.hpp"
#include "perf/common/redis_session.hpp"
#include "perf/common/run_database.hpp"
#include "perf/common/run_topic.hpp"
#include "spillway/relay.hpp"
#include "tools/spillway/command.hpp"

namespace spillway::perf {
namespace {

using namespace std::chrono_literals;
using program::CommandError;
using program::ExitCode;

constexpr auto drained_within = 600s;
constexpr auto poller_runs_for = 5s;
constexpr auto look_every = 2ms;  // at a primary key: nothing beside thousands of rows
constexpr int partitions = 4;
constexpr const char* polled_table = "polled_outbox";
constexpr std::size_t polled_rows = 100;
constexpr std::uint64_t timed_rows = 1'000;  // of each backlog

struct Options {
  std::uint64_t rows = 0;
  std::uint64_t deepest = 0;
};

double seconds(Clock::duration span) {
  return std::chrono::duration<double>(span).count();
}

std::int64_t new_instance() {
  static std::mt19937_64 numbers{std::random_device{}()};
  return static_cast<std::int64_t>(numbers() >> 1U);
}

// ---- Ours ----

// An outbox, and a relay that waits for it to fill.
class Ours {
 public:
  Ours(const RunDatabase& database, const Config& servers, const RowShape& shape)
      : config_{database.on_it(servers)},
        shape_{shape},
        sql_{database.session()},
        redis_{config_.redis.url},
        relay_{Relay::open(config_)} {
    static_cast<void>(drain(timed_rows, timed_rows));  // its producer has met its topic
  }

  // What it takes from the moment `rows` rows are offered until the first `until` of them are gone.
  Clock::duration drain(std::uint64_t rows, std::uint64_t until) {
    const std::int64_t instance = fill(rows);
    const auto from = Clock::now();
    offer(instance, rows);
    const auto taken = await_relayed(instance, until) - from;
    static_cast<void>(await_relayed(instance, rows));
    return taken;
  }

 private:
  std::int64_t fill(std::uint64_t rows) {
    const std::int64_t instance = new_instance();
    fill_outbox(sql_, shape_, instance, rows);
    sql_.run("CHECKPOINT");
    return instance;
  }
  void offer(std::int64_t instance, std::uint64_t rows) {
    offer_rows(sql_, instance, rows);
    redis_.push(config_.redis.list);
  }
  Clock::time_point await_relayed(std::int64_t instance, std::uint64_t rows) {
    const auto deadline = Clock::now() + drained_within;
    while (relayed_through(sql_, instance) < static_cast<std::int64_t>(rows)) {
      if (Clock::now() > deadline) {
        throw CommandError{ExitCode::unusable, "the rows were not relayed in time"};
      }
      std::this_thread::sleep_for(look_every);
    }
    return Clock::now();
  }

  Config config_;
  const RowShape& shape_;
  SqlSession sql_;
  RedisSession redis_;
  Relay relay_;
};

// ---- A raw producer ----

class RawTwin {
 public:
  RawTwin(const KafkaConfig& kafka, const RowShape& shape)
      : shape_{shape}, producer_{kafka, shape.topic, {.properties = {{"linger.ms", "1"}}}} {
    static_cast<void>(send(timed_rows));
  }

  // From the first message to the last ack.
  Clock::duration send(std::uint64_t rows) {
    const std::string payload(shape_.payload_bytes, 'p');
    const auto from = Clock::now();
    for (std::uint64_t n = 1; n <= rows; ++n) {
      const std::string key = key_of_row(static_cast<std::int64_t>(n), shape_.key_bytes);
      while (!producer_.send(key, bytes_of(payload)))
        producer_.poll(1ms);
      producer_.poll(0ms);
    }
    if (!producer_.drain(Clock::now() + drained_within)) {
      throw CommandError{ExitCode::unusable, "the messages were not acked in time"};
    }
    return Clock::now() - from;
  }

 private:
  const RowShape& shape_;
  RawProducer producer_;
};

// ---- A poller, as most are ----

class Poller {
 public:
  Poller(const RunDatabase& database, const KafkaConfig& kafka, const RowShape& shape)
      : shape_{shape},
        sql_{database.session()},
        producer_{kafka, shape.topic, {.properties = {{"linger.ms", "0"}}}} {
    sql_.run("CREATE TABLE " + std::string{polled_table} + " (LIKE spillway.outbox INCLUDING ALL)");
    sql_.prepare("take", "SELECT seq, key, payload FROM " + std::string{polled_table} +
                             " ORDER BY instance, lane, seq LIMIT " + std::to_string(polled_rows) +
                             " FOR UPDATE SKIP LOCKED");
    sql_.prepare("remove", "DELETE FROM " + std::string{polled_table} +
                               " WHERE instance = 1 AND lane = 0 AND seq >= $1::bigint AND seq <= "
                               "$2::bigint");
  }

  // Rows a second, of as many as it gets through in five seconds.
  double measure(std::uint64_t rows) {
    sql_.run("TRUNCATE " + std::string{polled_table});
    fill_outbox(sql_, shape_, 1, rows, polled_table);
    sql_.run("ANALYZE " + std::string{polled_table});
    sql_.run("CHECKPOINT");
    std::uint64_t done = 0;
    const auto from = Clock::now();
    while (Clock::now() - from < poller_runs_for) {
      const std::size_t batch = poll_once();
      if (batch == 0) break;
      done += batch;
    }
    return static_cast<double>(done) / seconds(Clock::now() - from);
  }

 private:
  std::size_t poll_once() {
    sql_.run("BEGIN");
    const SqlResult rows = sql_.execute("take", {});
    const int count = PQntuples(rows.get());
    if (count != 0) {
      for (int row = 0; row < count; ++row)
        send(*rows, row);
      if (!producer_.drain(Clock::now() + drained_within)) {
        throw CommandError{ExitCode::unusable, "the messages were not acked in time"};
      }
      sql_.execute("remove", std::vector{cell(*rows, 0, 0), cell(*rows, count - 1, 0)});
    }
    sql_.run("COMMIT");
    return static_cast<std::size_t>(count);
  }
  void send(const PGresult& rows, int row) {
    while (!producer_.send(cell(rows, row, 1), bytes_of(cell(rows, row, 2))))
      producer_.poll(1ms);
  }
  static std::string_view cell(const PGresult& rows, int row, int column) {
    return {PQgetvalue(&rows, row, column),
            static_cast<std::size_t>(PQgetlength(&rows, row, column))};
  }

  const RowShape& shape_;
  SqlSession sql_;
  RawProducer producer_;
};

// ---- What is measured ----

void measure_rate(const Program& program, const Options& options, Ours& ours, RawTwin& raw,
                  Poller& poller) {
  const auto rows = static_cast<double>(options.rows);
  const std::string size = std::to_string(options.rows) + " rows";
  measure_pairs(
      program.pairs(), program.deadline(),
      [&](Side side) {
        const auto taken =
            side == Side::ours ? ours.drain(options.rows, options.rows) : raw.send(options.rows);
        return std::optional{rows / seconds(taken)};
      },
      [&](const Pair<double>& pair) {
        const auto put = [&pair](const std::string& variant, double baseline) {
          put_pair({.figure = "F11", .metric = "drain", .unit = "rows/s", .variant = variant},
                   {.ours = pair.ours,
                    .baseline = baseline,
                    .number = pair.number,
                    .ours_first = pair.ours_first,
                    .steal = pair.steal});
        };
        put(size + " against a raw producer", pair.baseline);
        const double polled = poller.measure(options.rows);
        put(size + " against a SKIP LOCKED poller", polled);
        note("drained " + std::to_string(pair.ours) + " rows/s, raw " +
             std::to_string(pair.baseline) + ", poller " + std::to_string(polled));
      });
}

// The first thousand rows, before however many others.
void measure_depth(const Program& program, std::uint64_t deepest, const std::string& when,
                   Ours& ours) {
  constexpr std::size_t runs_max = 5;
  for (std::uint64_t depth = timed_rows; depth <= deepest; depth *= 10) {
    const std::size_t runs = std::min(program.pairs(), runs_max);
    for (std::size_t run = 0; run < runs && !program.is_over(); ++run) {
      const double taken = seconds(ours.drain(depth, timed_rows));
      put_sample({.figure = "F11",
                  .metric = "one row relayed",
                  .unit = "us",
                  .variant = "backlog of " + std::to_string(depth) + " rows" + when,
                  .better = Better::less},
                 {.value = 1e6 * taken / static_cast<double>(timed_rows), .run = run});
    }
    note("backlog of " + std::to_string(depth) + " rows" + when + " measured");
  }
}

void measure(const Program& program, Options options) {
  if (options.rows == 0) options.rows = program.is_quick() ? 100'000 : 1'000'000;
  if (options.deepest == 0) options.deepest = program.is_quick() ? 100'000 : 1'000'000;
  const RunDatabase database{program.config()};
  const RunTopic topic{program.config().kafka, "drain", partitions};
  program.put_settings({{"rows", options.rows},
                        {"deepest", options.deepest},
                        {"partitions", partitions},
                        {"poller_rows", polled_rows}});
  const RowShape shape{.topic = topic.name()};
  const auto measure_depths = [&](const std::string& when) {
    Config config = program.config();
    config.relay.window_rows = 4 * timed_rows;  // it removes a quarter of that at a time
    Ours ours{database, config, shape};
    measure_depth(program, options.deepest, when, ours);
  };
  measure_depths(", new table");
  {
    Ours ours{database, program.config(), shape};
    RawTwin raw{program.config().kafka, shape};
    Poller poller{database, program.config().kafka, shape};
    measure_rate(program, options, ours, raw, poller);
  }
  const std::int64_t passed = database.session().number(
      "SELECT coalesce(sum(relayed_through), 0)::bigint FROM spillway.relay_progress");
  measure_depths(", after " + std::to_string(passed) + " rows have passed");
}

}  // namespace
}  // namespace spillway::perf

int main(int argc, char** argv) {
  using namespace spillway::perf;
  Program program{{.name = "drain",
                   .about = "How fast a relay empties a full outbox, and whether a row costs more "
                            "when more rows wait.",
                   .pairs = 10,
                   .pairs_quick = 2,
                   .seconds = 2'400,
                   .seconds_quick = 90}};
  Options options;
  program.flags().add_option("--rows", options.rows,
                             "Of each slice; default: 1000000, or 100000 with --quick");
  program.flags().add_option("--deepest", options.deepest,
                             "The largest backlog, a power of ten; default: 1000000, or 100000 "
                             "with --quick");
  return program.run(argc, argv, [&] { measure(program, options); });
}
