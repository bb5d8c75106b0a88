// tests/unit/loops/on_simulated_servers.hpp: one service, on request a relay, and what is true of
// all.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/sim/sim_service.hpp"
#include "support/temporary_directory.hpp"

namespace spillway::loops {

using namespace std::chrono_literals;

class OnSimulatedServers : public ::testing::Test {
 protected:
  /// Before anything else of the test.
  void build_world(const sim::FaultPlan& plan,
                   const sim::TopicSettings& topic = {.partitions = 2}) {
    world_.emplace(plan);
    world_->kafka().create_topic("orders", topic);
  }
  sim::World& world() {
    if (!world_) build_world({});
    return *world_;
  }
  sim::SimKafka& kafka() { return world().kafka(); }
  sim::SimDatabase& database() { return world().database(); }

  sim::ServiceSettings& settings() {
    settings_.journal_path = directory_.file("journal");
    return settings_;
  }
  void start_service() {
    sim::World& in = world();
    service_ = std::make_unique<sim::SimService>(in, settings());
    settings_.first_actor.value += 100;
  }
  /// As kill -9 would.
  void kill_service() { service_.reset(); }
  sim::SimService& service() {
    if (!service_) start_service();
    return *service_;
  }
  /// Starts it.
  sim::SimRelay& relay() {
    if (!relay_) {
      relay_ =
          std::make_unique<sim::SimRelay>(world(), relay_settings_, relay_loop_, settings().broker);
    }
    return *relay_;
  }
  void kill_relay() {
    relay_.reset();
    relay_settings_.actor.value += 10;
  }

  void tick(core::Duration by = 200us) {
    world().advance(world().now() + by);
    if (service_) service_->step();
    if (relay_) relay_->step();
  }
  void run_for(core::Duration span) {
    const core::Instant end = world().now() + span;
    while (world().now() < end)
      tick();
  }
  [[nodiscard]] bool runs_until(const std::function<bool()>& condition,
                                core::Duration within = 30s) {
    const core::Instant end = world().now() + within;
    while (!condition()) {
      if (world().now() >= end) return false;
      tick();
    }
    return true;
  }

  /// Payloads count from 0; some records have no key.
  bool publish(std::size_t count = 1) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string payload = "payload " + std::to_string(published_);
      test::EnvelopeText envelope{.payload = payload};
      envelope.key = "k" + std::to_string(published_ % 5);
      if (!service().publish("orders", std::move(envelope))) return false;
      ++published_;
    }
    return true;
  }
  [[nodiscard]] std::uint64_t published() const { return published_; }

  [[nodiscard]] bool gets_to(LaneState state) {
    return runs_until([&] { return service().state() == state; });
  }
  /// Healthy: its topic asked for, its producer warm.
  void start_direct() {
    ASSERT_TRUE(service().journal().add_topic("orders"));
    ASSERT_TRUE(gets_to(LaneState::direct));
  }

  /// Direct, with `count` records in Kafka's hands that hangs.
  void hold_in_flight(std::size_t count) {
    start_direct();
    kafka().set_state(sim::ServerState::hung, world().now());
    publish(count);
    ASSERT_TRUE(gets_to(LaneState::spilling));
  }

  /// What the loops said, where a test failed.
  void TearDown() override {
    if (!HasFailure()) return;
    if (service_) print(*service_);
    if (relay_) print(*relay_);
  }

  [[nodiscard]] std::size_t in_kafka() { return kafka().record_count("orders"); }
  /// Rows of the stream of lane 0.
  [[nodiscard]] sim::StreamTables& tables(std::uint16_t lane = 0) {
    return database().tables({service().journal().instance(), {lane}});
  }
  [[nodiscard]] std::size_t rows() { return tables().outbox.size(); }
  [[nodiscard]] std::size_t held_rows() {
    std::size_t held = 0;
    for (const auto& [seq, row] : tables().outbox)
      held += row.held ? 1 : 0;
    return held;
  }
  [[nodiscard]] bool all_is_settled() {
    return service().in_journal() == 0 && database().row_count() == 0;
  }

  /// The promises that a topic shows by itself: P3, P4, P8, P9, and the dead letters.
  void expect_nothing_lost_reordered_or_twice() {
    std::map<std::uint64_t, std::pair<std::size_t, std::size_t>> copies;  // payload: all, marked
    for (const auto& partition : kafka().topic("orders")->partitions) {
      std::map<core::StreamId, core::Seq> highest;
      std::set<std::pair<core::StreamId, core::Seq>> seen;
      std::map<std::string, std::uint64_t> last_of_key;
      for (const sim::LogRecord& record : partition) {
        const std::uint64_t n = number_of(*record.payload);
        auto& [all, marked] = copies[n];
        ++all;
        marked += record.resend != core::ResendCause::none ? 1U : 0U;
        if (!seen.emplace(record.stream, record.seq).second) continue;
        EXPECT_GT(record.seq, highest[record.stream]) << "payload " << n;
        highest[record.stream] = std::max(highest[record.stream], record.seq);
        auto [last, is_first] = last_of_key.try_emplace(test::text_of(*record.key), n);
        EXPECT_TRUE(is_first || n > last->second) << "payload " << n << " after " << last->second;
        last->second = n;
      }
    }
    for (const auto& [id, stream] : database().streams()) {
      for (const auto& [seq, row] : stream.outbox)
        copies.try_emplace(number_of(*row.payload));
      for (const auto& [seq, letter] : stream.dead_letters) {
        copies.try_emplace(number_of(*letter.row.payload));
      }
    }
    for (std::uint64_t n = 0; n < published_; ++n) {
      ASSERT_TRUE(copies.contains(n)) << "payload " << n << " is lost";
      EXPECT_LE(copies[n].first, 1 + copies[n].second) << "payload " << n << " twice, unmarked";
    }
    EXPECT_EQ(copies.size(), published_);
    EXPECT_EQ(database().duplicate_keys(), 0U);
  }
  /// What a position filter needs in order to drop copies and nothing else (P3, P9).
  void expect_first_occurrences_ascend() {
    for (const auto& partition : kafka().topic("orders")->partitions) {
      std::map<core::StreamId, core::Seq> highest;
      std::set<std::pair<core::StreamId, core::Seq>> seen;
      for (const sim::LogRecord& record : partition) {
        if (!seen.emplace(record.stream, record.seq).second) continue;
        EXPECT_GT(record.seq, highest[record.stream]);
        highest[record.stream] = std::max(highest[record.stream], record.seq);
      }
    }
  }
  [[nodiscard]] std::size_t marked_in_kafka() {
    std::size_t marked = 0;
    for (const auto& record : kafka().records("orders")) {
      marked += record.resend != core::ResendCause::none ? 1U : 0U;
    }
    return marked;
  }
  /// accepted = delivered + spilled + dead-lettered + in flight, of one life of the service (P10).
  void expect_conservation() {
    const handoff::LaneCounters& counters = service().counters();
    EXPECT_EQ(counters.accepted.get(), counters.delivered.get() + counters.spilled.get() +
                                           counters.dead_lettered.get() + service().in_journal());
  }

  sim::SimRelaySettings relay_settings_{.actor = {50}};
  loops::RelaySettings relay_loop_;

 private:
  template <class Part>
  static void print(Part& part) {
    for (const std::string& line : part.log().lines())
      std::fprintf(stderr, "%s\n", line.c_str());
  }
  static std::uint64_t number_of(const sim::ByteString& payload) {
    return std::stoull(test::text_of(payload).substr(8));
  }

  test::TemporaryDirectory directory_;
  std::optional<sim::World> world_;
  sim::ServiceSettings settings_;
  std::unique_ptr<sim::SimService> service_;
  std::unique_ptr<sim::SimRelay> relay_;
  std::uint64_t published_ = 0;
};

}  // namespace spillway::loops
