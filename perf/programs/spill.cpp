// perf/programs/spill.cpp: Kafka is away: how many rows a second the pipeline spills (F6), and what
// a row costs the server over its whole life (F17).
//
// The baseline of F6 is naked COPY BINARY: the same rows, encoded before, in batches of the same
// size, into the same table, each its own commit. Beside it, what most outboxes do: one INSERT and
// one COMMIT for each row.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "perf/common/outbox_rows.hpp"
#include "perf/common/pacer.hpp"
#include "perf/common/pairs.hpp"
#include "perf/common/program.hpp"
#include "perf/common/run_database.hpp"
#include "perf/common/run_topic.hpp"
#include "perf/common/scratch_journal.hpp"
#include "spillway/pipeline.hpp"
#include "spillway/relay.hpp"
#include "tools/spillway/command.hpp"

namespace spillway::perf {
namespace {

using namespace std::chrono_literals;
using program::CommandError;
using program::ExitCode;

constexpr auto spilled_within = 300s;
constexpr auto relayed_within = 300s;
constexpr const char* nobody = "127.0.0.1:1";  // a port that is refused at once

struct Options {
  std::uint64_t rows = 0;
  std::uint64_t singles = 2'000;
};

// What the server has counted for this database. Its sessions tell when they end.
struct ServerCounts {
  double wal_bytes = 0;
  double transactions = 0;
};

class Server {
 public:
  explicit Server(const RunDatabase& database) : database_{database}, sql_{database.session()} {}

  /// The next slice finds an empty table, and pages that are not logged whole for an older
  /// checkpoint's sake.
  void begin_slice() {
    sql_.run("TRUNCATE spillway.outbox, spillway.stream, spillway.relay_progress");
    sql_.run("CHECKPOINT");
  }
  [[nodiscard]] ServerCounts counts() {
    return {.wal_bytes = static_cast<double>(
                sql_.number("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")),
            .transactions = static_cast<double>(
                sql_.number("SELECT xact_commit FROM pg_stat_database WHERE datname = "
                            "current_database()"))};
  }
  [[nodiscard]] SqlSession session() const { return database_.session(); }
  [[nodiscard]] std::int64_t number(const std::string& sql) { return sql_.number(sql); }

 private:
  const RunDatabase& database_;
  SqlSession sql_;
};

struct Spilled {
  double rows_per_second = 0;
  double wal_per_row = 0;
  double transactions_per_row = 0;  // ours only
};

// ---- Ours ----

class Ours {
 public:
  Ours(const Config& config, Server& server, std::string topic, std::uint64_t rows)
      : config_{config}, server_{server}, topic_{std::move(topic)}, rows_{rows} {}

  Spilled measure() {
    server_.begin_slice();
    const ServerCounts before = server_.counts();
    Clock::duration taken{};
    {
      const ScratchJournal journal;
      Config config = config_;
      config.journal.path = journal.path();
      Pipeline pipeline = Pipeline::open(config);
      taken = spill(pipeline);
      static_cast<void>(pipeline.close(Clock::now()));
    }
    const ServerCounts after = server_.counts();
    const auto rows = static_cast<double>(rows_);
    return {.rows_per_second = rows / std::chrono::duration<double>(taken).count(),
            .wal_per_row = (after.wal_bytes - before.wal_bytes) / rows,
            .transactions_per_row = (after.transactions - before.transactions) / rows};
  }

 private:
  // From the first publish() to the last COMMIT.
  Clock::duration spill(Pipeline& pipeline) const {
    const Topic topic = pipeline.topic(topic_);
    Publisher publisher = pipeline.publisher();
    const std::string payload(RowShape{}.payload_bytes, 'p');
    const auto from = Clock::now();
    for (std::uint64_t n = 1; n <= rows_; ++n) {
      const std::string key = key_of_row(static_cast<std::int64_t>(n), RowShape{}.key_bytes);
      const Envelope envelope{
          .topic = topic, .key = std::string_view{key}, .payload = bytes_of(payload)};
      if (!publisher.publish_within(spilled_within, envelope)) fail();
    }
    if (!pipeline.flush(Clock::now() + spilled_within)) fail();
    return Clock::now() - from;
  }
  [[noreturn]] static void fail() {
    throw CommandError{ExitCode::unusable, "the rows were not spilled in time"};
  }

  const Config& config_;
  Server& server_;
  std::string topic_;
  std::uint64_t rows_;
};

// ---- Baselines ----

class NakedCopy {
 public:
  NakedCopy(Server& server, const RowShape& shape, std::uint64_t rows, std::size_t batch_rows)
      : server_{server}, sql_{server.session()}, rows_{rows} {
    for (std::uint64_t done = 0; done < rows; done += batch_rows) {
      batches_.push_back(
          encode_rows(shape, {.first_seq = static_cast<std::int64_t>(done) + 1,
                              .rows = std::min<std::uint64_t>(batch_rows, rows - done)}));
    }
  }

  Spilled measure() {
    server_.begin_slice();
    const ServerCounts before = server_.counts();
    const auto from = Clock::now();
    for (const auto& batch : batches_)
      sql_.copy(copy_rows_sql(), batch);
    const auto taken = Clock::now() - from;
    const ServerCounts after = server_.counts();
    const auto rows = static_cast<double>(rows_);
    return {.rows_per_second = rows / std::chrono::duration<double>(taken).count(),
            .wal_per_row = (after.wal_bytes - before.wal_bytes) / rows};
  }

 private:
  Server& server_;
  SqlSession sql_;
  std::uint64_t rows_;
  std::vector<std::vector<std::byte>> batches_;
};

Spilled insert_singly(Server& server, const RowShape& shape, std::uint64_t rows) {
  server.begin_slice();
  SqlSession sql = server.session();
  sql.prepare("one", insert_row_sql());
  const std::string payload(shape.payload_bytes, 'p');
  const ServerCounts before = server.counts();
  const auto from = Clock::now();
  for (std::uint64_t n = 1; n <= rows; ++n) {
    const auto seq = static_cast<std::int64_t>(n);
    const BigEndian number{seq};
    const std::string key = key_of_row(seq, shape.key_bytes);
    sql.execute("one", std::vector<std::string_view>{number.bytes(), shape.topic, key, payload});
  }
  const auto taken = Clock::now() - from;
  const ServerCounts after = server.counts();
  return {
      .rows_per_second = static_cast<double>(rows) / std::chrono::duration<double>(taken).count(),
      .wal_per_row = (after.wal_bytes - before.wal_bytes) / static_cast<double>(rows)};
}

// ---- F17: what is left of a row's life ----

// The rows that are there go to Kafka; the WAL that it took, for each.
double relay_all(const Config& config, Server& server, std::uint64_t rows) {
  const ServerCounts before = server.counts();
  Relay relay = Relay::open(config);
  const auto deadline = Clock::now() + relayed_within;
  while (server.number("SELECT count(*) FROM spillway.stream s LEFT JOIN spillway.relay_progress p "
                       "USING (instance, lane) WHERE s.written_through > "
                       "coalesce(p.relayed_through, 0)") != 0) {
    if (Clock::now() > deadline) {
      throw CommandError{ExitCode::unusable, "the rows were not relayed in time"};
    }
    std::this_thread::sleep_for(20ms);
  }
  static_cast<void>(relay.close(deadline));
  return (server.counts().wal_bytes - before.wal_bytes) / static_cast<double>(rows);
}

void put_costs(const Spilled& ours, double relayed_wal, const Spilled& copy, const Spilled& single,
               std::size_t run) {
  const auto put = [run](const char* metric, const char* unit, const char* variant, double value,
                         double baseline, std::map<std::string, double> parts) {
    put_sample({.figure = "F17",
                .metric = metric,
                .unit = unit,
                .variant = variant,
                .better = Better::less},
               {.value = value, .run = run, .parts = std::move(parts), .baseline = baseline});
  };
  const std::map<std::string, double> parts{{"spilled", ours.wal_per_row},
                                            {"relayed and removed", relayed_wal}};
  const double life = ours.wal_per_row + relayed_wal;
  put("transactions for each row spilled", "1", "against one INSERT for each row",
      ours.transactions_per_row, 1, {});
  put("WAL for each row, whole life", "B", "against one INSERT for each row", life,
      single.wal_per_row, parts);
  put("WAL for each row, whole life", "B", "against naked COPY", life, copy.wal_per_row, parts);
  put("WAL for each row spilled", "B", "against naked COPY", ours.wal_per_row, copy.wal_per_row,
      {});
}

void measure(const Program& program, Options options) {
  if (options.rows == 0) options.rows = program.is_quick() ? 100'000 : 1'000'000;
  if (program.is_quick()) options.singles = std::min<std::uint64_t>(options.singles, 500);
  const RunDatabase database{program.config()};
  const RunTopic topic{program.config().kafka, "spill", 1};
  Config spilling = database.on_it(program.config());
  spilling.kafka.bootstrap_servers = nobody;
  spilling.kafka.ready_within = 0ms;
  spilling.kafka.topic_within = 100ms;
  spilling.lanes.count = 1;
  spilling.on_log = [](LogLevel, std::string_view) {};  // that nobody is there is no news
  program.put_settings({{"rows", options.rows},
                        {"singles", options.singles},
                        {"batch_rows", spilling.postgres.batch_rows_max}});

  Server server{database};
  const RowShape shape{.topic = topic.name()};
  Ours ours{spilling, server, topic.name(), options.rows};
  NakedCopy copy{server, shape, options.rows, spilling.postgres.batch_rows_max};
  static_cast<void>(copy.measure());  // the server's files and caches have grown
  const Measure against_copy{.figure = "F6",
                             .metric = "rows spilled",
                             .unit = "rows/s",
                             .variant = "against naked COPY BINARY"};
  measure_pairs(
      program.pairs(), program.deadline(),
      [&](Side side) {
        return std::optional{side == Side::ours ? ours.measure() : copy.measure()};
      },
      [&](const Pair<Spilled>& pair) {
        put_pair(against_copy, {.ours = pair.ours.rows_per_second,
                                .baseline = pair.baseline.rows_per_second,
                                .number = pair.number,
                                .ours_first = pair.ours_first,
                                .steal = pair.steal});
        const Spilled single = insert_singly(server, shape, options.singles);
        put_pair({.figure = "F6",
                  .metric = "rows spilled",
                  .unit = "rows/s",
                  .variant = "against one INSERT for each row"},
                 {.ours = pair.ours.rows_per_second,
                  .baseline = single.rows_per_second,
                  .number = pair.number});
        const Spilled again = ours.measure();
        const double relayed = relay_all(database.on_it(program.config()), server, options.rows);
        put_costs(again, relayed, pair.baseline, single, pair.number);
        note("spilled " + std::to_string(pair.ours.rows_per_second) + " rows/s, naked COPY " +
             std::to_string(pair.baseline.rows_per_second) + ", one by one " +
             std::to_string(single.rows_per_second));
      });
}

}  // namespace
}  // namespace spillway::perf

int main(int argc, char** argv) {
  using namespace spillway::perf;
  Program program{{.name = "spill",
                   .about = "Kafka is away: how many rows a second the pipeline spills, and what a "
                            "row costs the server.",
                   .pairs = 10,
                   .pairs_quick = 2,
                   .seconds = 1'200,
                   .seconds_quick = 60}};
  Options options;
  program.flags().add_option("--rows", options.rows,
                             "Of each slice; default: 1000000, or 100000 with --quick");
  program.flags()
      .add_option("--singles", options.singles, "Rows that are inserted one by one")
      ->capture_default_str();
  return program.run(argc, argv, [&] { measure(program, options); });
}
