// tests/contract/postgres_worlds.hpp: the outbox, simulated and real, as a contract test sees it.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/postgres/pg_outbox.hpp"
#include "adapters/postgres/pg_relay.hpp"
#include "adapters/postgres/schema_sql.hpp"
#include "core/position.hpp"
#include "support/database.hpp"
#include "support/driving.hpp"
#include "support/record_maker.hpp"
#include "support/recording_log.hpp"
#include "support/sim/sim_outbox.hpp"
#include "support/sim/sim_relay_store.hpp"

namespace spillway::contract {

inline constexpr core::InstanceId instance{0xFEDC'BA98'7654'3210};
inline constexpr core::LaneIndex lane{3};
inline constexpr core::StreamId stream{.instance = instance, .lane = lane};
inline constexpr core::Duration owner_grace = std::chrono::milliseconds{1'500};

/// A row of the outbox, as far as a contract tells.
struct SeenRow {
  std::uint64_t seq = 0;
  bool held = false;
  core::ResendCause resend = core::ResendCause::none;
  friend bool operator==(const SeenRow&, const SeenRow&) = default;
};
/// Seq and error.
using SeenLetter = std::pair<std::uint64_t, std::string>;

class SimulatedPostgres {
 public:
  std::unique_ptr<ports::OutboxStore> outbox() {
    return std::make_unique<sim::SimOutbox>(world_, sim::ActorId{++actors_}, instance);
  }
  std::unique_ptr<ports::RelayStore> relay() {
    return std::make_unique<sim::SimRelayStore>(
        world_, sim::SimRelaySettings{.actor = {++actors_}, .owner_grace = owner_grace});
  }
  std::vector<SeenRow> rows() {
    std::vector<SeenRow> seen;
    for (const auto& [seq, row] : world_.database().tables(stream).outbox) {
      seen.push_back({seq.value, row.held, row.resend});
    }
    return seen;
  }
  std::vector<SeenLetter> dead_letters() {
    std::vector<SeenLetter> seen;
    for (const auto& [seq, letter] : world_.database().tables(stream).dead_letters) {
      seen.emplace_back(seq.value, letter.error);
    }
    return seen;
  }
  core::Instant now() { return world_.now(); }
  template <class Condition>
  bool eventually(Condition condition) {
    for (int i = 0; i < 100'000; ++i) {
      if (condition()) return true;
      world_.advance(world_.now() + std::chrono::microseconds{500});
    }
    return false;
  }

 private:
  sim::World world_{sim::FaultPlan{}};
  std::uint32_t actors_ = 0;
};

class RealPostgres {
 public:
  RealPostgres() { sql_.run(std::string{postgres::schema_text()}); }

  std::unique_ptr<ports::OutboxStore> outbox() {
    postgres::PgOutboxSettings settings;
    settings.conninfo = database_.conninfo();
    settings.instance = instance;
    return std::make_unique<postgres::PgOutbox>(settings, log_);
  }
  std::unique_ptr<ports::RelayStore> relay() {
    postgres::PgRelaySettings settings;
    settings.conninfo = database_.conninfo();
    settings.holder = {++holders_};
    settings.owner_grace = owner_grace;
    return std::make_unique<postgres::PgRelay>(settings, log_);
  }
  std::vector<SeenRow> rows() {
    std::vector<SeenRow> seen;
    for (const auto& cells :
         sql_.rows("SELECT seq, held, coalesce(resend, '') FROM spillway.outbox ORDER BY seq")) {
      seen.push_back({std::stoull(cells.at(0)), cells.at(1) == "t",
                      core::parse_resend_cause(cells.at(2)).value()});
    }
    return seen;
  }
  std::vector<SeenLetter> dead_letters() {
    std::vector<SeenLetter> seen;
    for (const auto& cells :
         sql_.rows("SELECT seq, error FROM spillway.dead_letter ORDER BY seq")) {
      seen.emplace_back(std::stoull(cells.at(0)), cells.at(1));
    }
    return seen;
  }
  static core::Instant now() { return testing::real_now(); }
  template <class Condition>
  bool eventually(Condition condition) {
    return testing::eventually(std::chrono::seconds{20}, condition);
  }

 private:
  testing::TestDatabase database_;
  testing::SqlSession sql_ = database_.session();
  testing::RecordingLog log_;
  std::uint64_t holders_ = 0;
};

/// Rows `from` to `through`.
inline std::vector<ports::OutboxRow> rows_of(std::uint64_t from, std::uint64_t through,
                                             bool held = false) {
  std::vector<ports::OutboxRow> made;
  for (std::uint64_t seq = from; seq <= through; ++seq) {
    ports::OutboxRow row;
    row.seq = {seq};
    row.topic = "orders";
    row.key = bytes_of("key");
    row.payload = bytes_of("a payload");
    row.held = held;
    made.push_back(row);
  }
  return made;
}

/// What both contracts on Postgres need of an owner.
template <class Postgres>
class WithOwner : public ::testing::Test {
 protected:
  void start_owner() {
    owner_ = postgres_.outbox();
    ASSERT_EQ(next_of_owner(), ports::StoreEventKind::connected);
  }
  ports::StoreEventKind next_of_owner() {
    auto kind = ports::StoreEventKind::none;
    EXPECT_TRUE(postgres_.eventually([&] {
      const ports::StoreEvent event = owner_->poll(postgres_.now());
      kind = event.kind;
      streams_.assign(event.streams.begin(), event.streams.end());
      return kind != ports::StoreEventKind::none;
    }));
    return kind;
  }
  void write(const std::vector<ports::OutboxRow>& rows) {
    owner_->write_rows(lane, rows);
    ASSERT_EQ(next_of_owner(), ports::StoreEventKind::committed);
  }
  void release(std::uint64_t held_through, const std::vector<ports::Unfinished>& unfinished = {}) {
    owner_->release(lane, {held_through}, unfinished);
    ASSERT_EQ(next_of_owner(), ports::StoreEventKind::committed);
  }
  /// Of stream `lane`, as Postgres says now.
  ports::StreamState progress() {
    owner_->read_progress();
    EXPECT_EQ(next_of_owner(), ports::StoreEventKind::progress);
    return streams_.empty() ? ports::StreamState{} : streams_.front();
  }

  Postgres postgres_;
  std::unique_ptr<ports::OutboxStore> owner_;
  std::vector<ports::StreamState> streams_;  ///< Of the last event.
};

using Postgreses = ::testing::Types<SimulatedPostgres, RealPostgres>;

}  // namespace spillway::contract
