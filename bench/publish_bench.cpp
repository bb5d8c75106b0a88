// bench/publish_bench.cpp: what publish() costs its caller, against librdkafka's produce calls.
//
// No server runs. Ours goes its whole way: journal, stamp, hand-off, and a lane that takes over.
// The raw client's messages wait for a topic that nobody answers for, so that neither its
// partitioner nor its broker's thread takes part: that is its cheapest call.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include <benchmark/benchmark.h>
#include <librdkafka/rdkafka.h>
#include <mimalloc.h>
#include <unistd.h>

#include "costs.hpp"
#include "cycles.hpp"
#include "publish_plan.hpp"
#include "readings.hpp"
#include "spillway/spillway.hpp"

namespace spillway::bench {
namespace {

// Below the ports that outgoing connections use: nobody is there by chance.
constexpr const char* nobody = "127.0.0.1:9";
constexpr const char* topic_name = "bench";
constexpr std::size_t journal_bytes = std::size_t{256} << 20;
constexpr std::size_t segment_bytes = std::size_t{1} << 20;

// ---- Ours ----

/// One pipeline for many runs, and a fresh one when its journal could become full.
class OurSide {
 public:
  static OurSide& shared() {
    static OurSide side;
    return side;
  }

  void make_room() {
    const std::size_t needed = run_bytes_max + publishers_max * segment_bytes;
    if (pipeline_ && journal_bytes - pipeline_->counters().journal_used_bytes > needed) return;
    close();
    pipeline_ = Pipeline::open(config());
    topic_ = pipeline_->topic(topic_name);
  }

  /// The lanes have taken over what the run left them, so that the next one has the machine.
  void settle() const {
    const auto is_taken_over = [this] {
      const Metrics now = pipeline_->counters();
      std::uint64_t taken = 0;
      for (const LaneMetrics& lane : now.lanes)
        taken += lane.accepted;
      return taken == now.accepted;
    };
    while (!is_taken_over())
      std::this_thread::sleep_for(1ms);
  }

  void close() {
    pipeline_.reset();
    std::filesystem::remove(journal_path());
  }

  // After make_room().
  // NOLINTBEGIN(bugprone-unchecked-optional-access)
  [[nodiscard]] Publisher publisher() { return pipeline_->publisher(); }
  [[nodiscard]] Topic topic() const { return *topic_; }
  // NOLINTEND(bugprone-unchecked-optional-access)

 private:
  static std::string journal_path() {
    return "/dev/shm/spillway-bench-" + std::to_string(::getpid()) + ".journal";
  }

  static Config config() {
    Config config = preset(Environment::production);
    config.kafka.bootstrap_servers = nobody;
    config.kafka.ready_within = 0ms;
    config.kafka.topic_within = 100ms;
    config.postgres.conninfo = "host=127.0.0.1 port=9 dbname=none user=nobody";
    config.redis.url = std::string{"redis://"} + nobody;
    config.journal.path = journal_path();
    config.journal.size_bytes = journal_bytes;
    config.lanes.count = 1;
    config.relay.enabled = false;
    config.close_within = 0s;
    config.on_log = [](LogLevel, std::string_view) {};
    return config;
  }

  std::optional<Pipeline> pipeline_;
  std::optional<Topic> topic_;
};

class OurPublisher {
 public:
  static void before_run(const benchmark::State& /*state*/) { OurSide::shared().make_room(); }
  static void after_run(const benchmark::State& /*state*/) { OurSide::shared().settle(); }

  static constexpr bool starts_cold = false;  // the journal's pages are there since open()

  explicit OurPublisher(const Plan& plan)
      : content_{plan},
        publisher_{OurSide::shared().publisher()},
        topic_{OurSide::shared().topic()} {}

 protected:
  Content content_;
  Publisher publisher_;
  Topic topic_;
};

struct Publish : OurPublisher {
  static constexpr const char* name = "spillway:publish";
  using OurPublisher::OurPublisher;

  [[nodiscard]] bool call(std::size_t n) noexcept {
    return static_cast<bool>(
        publisher_.publish(topic_, Content::key(n), content_.payload, content_.headers));
  }
};

struct ClaimAndCommit : OurPublisher {
  static constexpr const char* name = "spillway:claim+commit";
  using OurPublisher::OurPublisher;

  [[nodiscard]] bool call(std::size_t n) noexcept {
    Claim claim =
        publisher_.claim(topic_, Content::key(n), content_.payload.size(), content_.headers);
    const std::span<std::byte> room = claim.payload();
    if (!room.empty()) std::memcpy(room.data(), content_.payload.data(), room.size());
    return static_cast<bool>(claim.commit());
  }
};

// ---- The raw client ----

struct Released {
  void operator()(rd_kafka_t* client) const noexcept { rd_kafka_destroy(client); }
  void operator()(rd_kafka_topic_t* topic) const noexcept { rd_kafka_topic_destroy(topic); }
};

/// librdkafka with a lane's promises (idempotent, acks=all) and no bound of its own.
class RawSide {
 public:
  static RawSide& shared() {
    static RawSide side;
    return side;
  }

  /// Everything is reported, and so forgotten.
  void purge() const {
    static_cast<void>(rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE |
                                                        RD_KAFKA_PURGE_F_INFLIGHT |
                                                        RD_KAFKA_PURGE_F_NON_BLOCKING));
    while (rd_kafka_outq_len(client_.get()) != 0)
      rd_kafka_poll(client_.get(), 10);
  }

  [[nodiscard]] rd_kafka_t* client() const noexcept { return client_.get(); }
  [[nodiscard]] rd_kafka_topic_t* topic() const noexcept { return topic_.get(); }

 private:
  RawSide() {
    // What a purge frees stays with the process, as in a service that sends all the time.
    mi_option_disable(mi_option_allow_decommit);
    rd_kafka_conf_t* const settings = rd_kafka_conf_new();
    for (const auto& [name, value] :
         std::array<std::array<const char*, 2>, 8>{{{"bootstrap.servers", nobody},
                                                    {"enable.idempotence", "true"},
                                                    {"acks", "all"},
                                                    {"message.timeout.ms", "0"},
                                                    {"linger.ms", "0.5"},
                                                    {"partitioner", "murmur2_random"},
                                                    {"queue.buffering.max.messages", "0"},
                                                    {"queue.buffering.max.kbytes", "2097151"}}}) {
      if (rd_kafka_conf_set(settings, name, value, nullptr, 0) != RD_KAFKA_CONF_OK) {
        throw std::runtime_error{std::string{"librdkafka does not take "} + name};
      }
    }
    rd_kafka_conf_set_dr_msg_cb(settings, [](rd_kafka_t*, const rd_kafka_message_t*, void*) {});
    rd_kafka_conf_set_log_cb(settings, [](const rd_kafka_t*, int, const char*, const char*) {});
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, settings, nullptr, 0));
    if (!client_) throw std::runtime_error{"librdkafka makes no producer"};
    topic_.reset(rd_kafka_topic_new(client_.get(), topic_name, nullptr));
  }

  std::unique_ptr<rd_kafka_t, Released> client_;
  std::unique_ptr<rd_kafka_topic_t, Released> topic_;
};

class RawPublisher {
 public:
  static void before_run(const benchmark::State& /*state*/) {
    static_cast<void>(RawSide::shared());
  }
  static void after_run(const benchmark::State& /*state*/) { RawSide::shared().purge(); }

  static constexpr bool starts_cold = true;  // a message's memory is the allocator's

  explicit RawPublisher(const Plan& plan) : content_{plan} {}

 protected:
  static constexpr int read_only = 0;  // as a lane does: neither copied nor freed
  Content content_;
  rd_kafka_t* client_ = RawSide::shared().client();
  rd_kafka_topic_t* topic_ = RawSide::shared().topic();
};

struct Produce : RawPublisher {
  static constexpr const char* name = "baseline:rd_kafka_produce";
  using RawPublisher::RawPublisher;

  [[nodiscard]] bool call(std::size_t n) noexcept {
    const std::string_view key = Content::key(n);
    return rd_kafka_produce(topic_, RD_KAFKA_PARTITION_UA, read_only, content_.payload.data(),
                            content_.payload.size(), key.data(), key.size(), nullptr) == 0;
  }
};

/// With the plan's headers, or with the one that each message of ours has anyway.
struct ProduceV : RawPublisher {
  static constexpr const char* name = "baseline:rd_kafka_producev";

  explicit ProduceV(const Plan& plan) : RawPublisher{plan} {
    if (content_.headers.empty()) {
      content_.headers.push_back(
          {.name = "position", .value = bytes_of("0123456789abcdef-0-1234567")});
    }
  }

  [[nodiscard]] bool call(std::size_t n) noexcept {
    const std::string_view key = Content::key(n);
    rd_kafka_headers_t* const headers = rd_kafka_headers_new(content_.headers.size());
    for (const Header& header : content_.headers) {
      // NOLINTBEGIN(bugprone-unchecked-optional-access): a plan's headers have values.
      rd_kafka_header_add(headers, header.name.data(),
                          static_cast<std::ptrdiff_t>(header.name.size()), header.value->data(),
                          static_cast<std::ptrdiff_t>(header.value->size()));
      // NOLINTEND(bugprone-unchecked-optional-access)
    }
    const rd_kafka_resp_err_t error = rd_kafka_producev(
        client_, RD_KAFKA_VTYPE_RKT, topic_,                                     //
        RD_KAFKA_VTYPE_KEY, key.data(), key.size(),                              //
        RD_KAFKA_VTYPE_VALUE, content_.payload.data(), content_.payload.size(),  //
        RD_KAFKA_VTYPE_MSGFLAGS, read_only, RD_KAFKA_VTYPE_HEADERS, headers,     //
        RD_KAFKA_VTYPE_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_headers_destroy(headers);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR;
  }
};

// ---- The measurement ----

/// A service that sends all the time has met its pages before, and so should the raw client here.
template <class Client>
void warm_up(benchmark::State& state, Client& client, std::size_t calls) {
  if constexpr (Client::starts_cold) {
    for (std::size_t n = 0; n < calls; ++n)
      static_cast<void>(client.call(n));
    Client::after_run(state);
  }
}

template <class Client>
void measure(benchmark::State& state, const Plan& plan) {
  Client client{plan};
  warm_up(state, client, plan.readings() * plan.group);
  Readings readings{plan.group, plan.readings()};
  const std::uint64_t pace = cycle_clock().cycles(plan.every) * plan.group;
  std::size_t calls = 0;
  std::size_t refused = 0;

  Costs costs;
  std::uint64_t due = read_cycles();
  for (const auto running : state) {
    static_cast<void>(running);
    for (due += pace; pace != 0 && read_cycles() < due;) {
    }
    const std::uint64_t begun = read_cycles();
    for (std::size_t i = 0; i < plan.group; ++i)
      refused += client.call(calls++) ? 0U : 1U;
    readings.add(state, begun, read_cycles());
  }
  costs.report(state, calls);
  readings.report(state, "p50", 0.50);
  readings.report(state, "p99", 0.99);
  if (refused != 0) {
    state.SkipWithError((std::to_string(refused) + " calls were refused").c_str());
  }
}

template <class... Clients>
void compare(const Plan& plan) {
  const auto add = [&plan]<class Client>(std::type_identity<Client> /*client*/) {
    const std::string name = plan.name + "/" + Client::name;
    benchmark::RegisterBenchmark(name.c_str(),
                                 [plan](benchmark::State& state) { measure<Client>(state, plan); })
        ->Setup(Client::before_run)
        ->Teardown(Client::after_run)
        ->Threads(static_cast<int>(plan.publishers))
        ->Iterations(static_cast<benchmark::IterationCount>(plan.readings()))
        ->UseManualTime();
  };
  (add(std::type_identity<Clients>{}), ...);
}

/// rd_kafka_produce() again, as if it were ours: its ratio to itself is the noise.
struct ProduceAgain : Produce {
  static constexpr const char* name = "spillway:(rd_kafka_produce)";
  using Produce::Produce;
};

void register_all() {
  constexpr std::chrono::nanoseconds at_50k = 20us;
  compare<ProduceAgain, Produce>({.name = "noise"});
  compare<ProduceAgain, Produce>({.name = "noise, at 50k", .group = 1, .every = at_50k});
  for (const std::size_t group : {std::size_t{1}, std::size_t{64}}) {
    const std::string name = group == 1 ? "call" : "64 calls";
    compare<Publish, ClaimAndCommit, Produce, ProduceV>({.name = name + ", free", .group = group});
    compare<Publish, ClaimAndCommit, Produce, ProduceV>(
        {.name = name + ", at 50k", .group = group, .every = at_50k});
  }
  for (const std::size_t bytes : {64U, 1'024U, 16'384U, 65'536U}) {
    compare<Publish, Produce>(
        {.name = "payload " + std::to_string(bytes) + " B", .group = 1, .payload_bytes = bytes});
  }
  for (const std::size_t headers : {1U, 2U, 4U, 8U}) {
    compare<Publish, ProduceV>({.name = "headers " + std::to_string(headers), .headers = headers});
  }
  for (const std::size_t publishers : {2U, 4U, 8U}) {
    compare<Publish, Produce>(
        {.name = "publishers " + std::to_string(publishers), .publishers = publishers});
  }
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  int code = 0;
  try {
    spillway::bench::register_all();
    benchmark::RunSpecifiedBenchmarks();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "publish_bench: %s\n", error.what());
    code = 1;
  }
  spillway::bench::OurSide::shared().close();
  return code;
}
