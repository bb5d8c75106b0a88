#include "support/on_real_stack.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <numeric>
#include <stdexcept>
#include <thread>

#include <unistd.h>

#include "run_id.hpp"
#include "spillway/outbox.hpp"
#include "verify/report.hpp"
#include "verify/sources.hpp"

namespace spillway::test {
namespace {

std::string redis_url() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no test changes its environment.
  const char* const url = std::getenv("SPILLWAY_REDIS");
  if (url == nullptr) {
    throw std::runtime_error{
        "SPILLWAY_REDIS is not set: tools/stack up; eval \"$(tools/stack env)\""};
  }
  return url;
}

}  // namespace

void LogLines::add(std::string_view line) {
  const auto after = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - since_);
  const std::lock_guard lock{mutex_};
  text_.append(line).append("\n");
  // ctest shows it when the test fails.
  std::fprintf(stderr, "+%6lld ms  %.*s\n", static_cast<long long>(after.count()),
               static_cast<int>(line.size()), line.data());
}

bool LogLines::has(std::string_view part) const {
  const std::lock_guard lock{mutex_};
  return text_.find(part) != std::string::npos;
}

OnRealStack::OnRealStack()
    : topic_name_{new_topic_name("pipeline")}, run_{program::random_run_id()} {
  kafka_.create_topic(topic_name_, partitions);
  Outbox::open(config()).apply_schema();
}

void OnRealStack::TearDown() {
  accept_logs_.clear();  // their files are open
  try {
    stack_.restore();
    kafka_.delete_topic(topic_name_);
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
}

Config OnRealStack::config() {
  Config config = preset(Environment::development);
  config.kafka.bootstrap_servers = kafka_servers();
  config.postgres.conninfo = database_.conninfo();
  config.redis.url = redis_url();
  // Tests that run at the same time, on this server or another, must not take each other's tokens.
  config.redis.list = topic_name_;
  config.journal.path = file("journal");
  config.lanes.count = 2;
  // A busy machine of two cores stops a broker that is well for longer than development's.
  config.lanes.failover_after = preset(Environment::production).lanes.failover_after;
  config.on_log = [this](LogLevel, std::string_view line) { lines_.add(line); };
  return config;
}

program::LoadGenerator OnRealStack::load_on(Pipeline& pipeline, double per_second) {
  constexpr std::size_t publishers = 2;
  const bool goes_on = ::access(accepted_file().c_str(), F_OK) == 0;
  accepted_.push_back(std::make_unique<program::AcceptFile>(accepted_file(), publishers, goes_on));
  const std::uint32_t first = program::AcceptLogs::next_publisher(accept_logs(), goes_on);
  accept_logs_.push_back(
      std::make_unique<program::AcceptLogs>(accept_logs(), topic_name_, run_, first, publishers));
  return {pipeline,
          pipeline.topic(topic_name_),
          {.run = run_, .per_second = per_second, .publishers = publishers, .keys = 100},
          accepted_.back().get(),
          accept_logs_.back().get()};
}

std::string OnRealStack::run_id() const {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), run_, 16).ptr;
  return {digits.data(), end};
}

std::uint64_t OnRealStack::accepted() const {
  if (::access(accepted_file().c_str(), F_OK) != 0) return 0;
  const std::vector<std::uint64_t> counts = verify::read_accept_counts(accepted_file());
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::vector<std::string> OnRealStack::spillway(std::vector<std::string> words) const {
  words.insert(words.begin(), spillway_program());
  words.insert(words.end(), {"--kafka", kafka_servers(), "--postgres", database_.conninfo(),
                             "--redis", redis_url(), "--set", "redis.list=" + topic_name_});
  return words;
}

std::vector<std::string> OnRealStack::spillway_load(const std::string& seconds) const {
  return spillway(
      {"load",        "--topic",   topic_name(),    "--rate",     "5000",          "--publishers",
       "2",           "--keys",    "100",           "--duration", seconds,         "--run",
       run_id(),      "--journal", file("journal"), "--accepted", accepted_file(), "--accept-log",
       accept_logs(), "--drain",   "60s",           "--set",      "lanes.count=2"});
}

std::uint64_t OnRealStack::outbox_rows() const {
  return std::stoull(sql().value("SELECT count(*) FROM spillway.outbox"));
}

std::uint64_t OnRealStack::held_rows() const {
  return std::stoull(sql().value("SELECT count(*) FROM spillway.outbox WHERE held"));
}

std::uint64_t OnRealStack::relayed_through() const {
  return std::stoull(
      sql().value("SELECT coalesce(sum(relayed_through), 0) FROM spillway.relay_progress"));
}

bool OnRealStack::gets_direct(const Pipeline& pipeline, std::uint64_t delivered) {
  return eventually(patience, [&] {
    const Metrics seen = pipeline.counters();
    return all_direct(seen) && seen.delivered > delivered;
  });
}

bool OnRealStack::ends_quiet(const Pipeline& pipeline) const {
  return eventually(patience, [this, &pipeline] {
    const Metrics seen = pipeline.counters();
    return all_direct(seen) && seen.in_flight == 0 && seen.outbox_queue_depth == 0 &&
           outbox_rows() == 0;
  });
}

verify::AuditResult OnRealStack::audit() const {
  verify::AuditRequest request;
  request.kafka.bootstrap_servers = kafka_servers();
  request.postgres.conninfo = database_.conninfo();
  request.scope.topic = topic_name_;
  if (accepted() != 0) {
    request.scope.run = run_;
    request.accept_logs = accept_logs();
  }

  return verify::run_audit(request, [](std::uint64_t, std::uint64_t) {});
}

void OnRealStack::expect_audit_clean(Copies copies) {
  const verify::AuditResult result = audit();

  EXPECT_EQ(result.verdict(), verify::Verdict::passed) << verify::text_report(result);
  EXPECT_EQ(result.waiting + result.held, 0) << verify::text_report(result);
  EXPECT_EQ(result.dead_letters, 0) << verify::text_report(result);
  if (copies == Copies::none) {
    EXPECT_EQ(result.duplicates_marked, 0) << verify::text_report(result);
  }
}

void OnRealStack::expect_ends_clean(Process& load) {
  const std::uint64_t before = accepted();
  // Empty it may be between two batches of a lane that still spills.
  const auto is_out_of_use = [this] {
    const std::uint64_t relayed = relayed_through();
    std::this_thread::sleep_for(std::chrono::milliseconds{300});
    return outbox_rows() == 0 && relayed_through() == relayed;
  };
  EXPECT_TRUE(eventually(patience, [&] { return accepted() > before + 2'000 && is_out_of_use(); }))
      << "its own relay forwards them\n"
      << load.output();
  load.signal(SIGTERM);
  EXPECT_EQ(load.ended_within(2 * patience), 0) << load.output();

  // A broker that was slow at that moment made rows that wait for the next relay.
  const Process relay{spillway({"relay"})};
  EXPECT_TRUE(eventually(patience, [this] { return outbox_rows() == 0; })) << relay.output();
  expect_audit_clean(Copies::marked);
}

void OnRealStack::expect_conserved(const Metrics& metrics) {
  EXPECT_EQ(metrics.accepted,
            metrics.delivered + metrics.spilled + metrics.dead_lettered + metrics.in_flight);
  EXPECT_EQ(metrics.spilled,
            metrics.relay.relayed + metrics.outbox_queue_depth + metrics.relay.dead_lettered);
}

Copies OnRealStack::copies_of(const Metrics& metrics) {
  const bool fatal = sum(metrics, &LaneMetrics::recalls) + metrics.relay.fatal_errors != 0;
  return fatal ? Copies::marked : Copies::none;
}

bool all_direct(const Metrics& metrics) {
  return std::ranges::all_of(
      metrics.lanes, [](const LaneMetrics& lane) { return lane.state == LaneState::direct; });
}

bool any_spilling(const Metrics& metrics) {
  return std::ranges::any_of(
      metrics.lanes, [](const LaneMetrics& lane) { return lane.state == LaneState::spilling; });
}

std::uint64_t sum(const Metrics& metrics, std::uint64_t LaneMetrics::*counter) {
  std::uint64_t all = 0;
  for (const LaneMetrics& lane : metrics.lanes)
    all += lane.*counter;
  return all;
}

}  // namespace spillway::test
