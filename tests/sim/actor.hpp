// tests/sim/actor.hpp: an instance or a relay of a run, through all its lives.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/limits.hpp"
#include "sim/journal_disk.hpp"
#include "sim/judge.hpp"
#include "sim/plan.hpp"
#include "support/sim/sim_service.hpp"

namespace spillway::sim {

/// Under way, by server.
struct Outages {
  std::size_t of_kafka = 0;
  std::size_t of_postgres = 0;
  std::size_t of_redis = 0;
};

/// What the actors of a run share.
struct Stage {
  World& world;
  const Plan& plan;
  AcceptLog& accepted;
  Judge& judge;
  Sometimes& sometimes;
  Outages outages = {};
  std::uint64_t clock_ns = 0;  ///< Never read twice with the same result.
  std::uint64_t order = 0;     ///< Of everything that publishers do.

  [[nodiscard]] std::uint64_t read_clock();
};

class InstanceActor final : public PortWatch {
 public:
  InstanceActor(Stage& stage, std::uint32_t number, JournalDisk& disk);
  ~InstanceActor() override;

  [[nodiscard]] bool is_up() const noexcept { return service_ != nullptr; }
  [[nodiscard]] SimService& service() noexcept { return *service_; }
  [[nodiscard]] LaneState worst_state() noexcept;

  void publish(const PublishEvent& event, Instant now);
  /// Publishers that were preempted go on.
  void resume_publishers(Instant now, bool all);
  std::size_t step();
  void crash(const Crash& crash, Instant now);
  void restart_if_due(Instant now, bool at_once);
  void starve_until(Instant until) noexcept { starved_until_ = std::max(starved_until_, until); }

  [[nodiscard]] bool is_settled() noexcept;
  [[nodiscard]] bool is_direct() noexcept;
  void finish(std::map<core::StreamId, core::Seq>& last_seq);

 private:
  struct Call {
    RecordId id;
    bool is_accepted = false;
    Instant goes_on_at;
    Duration accepted_for{};
  };
  struct Unsettled {
    RecordId id;
    core::RecordOffset record;
  };

  void on_submit(std::uint64_t producer, const ports::Submission& record) override;
  void on_rows(core::LaneIndex lane, std::span<const ports::OutboxRow> rows) override;
  void on_release_unknown(core::LaneIndex lane) override;
  void on_notify() override;

  void start(std::uint32_t recovery_calls);
  void die();
  void go_on(std::size_t publisher, Instant now);
  void watch();
  void read_log();
  void note_recall();
  void judge_state_of(const ports::Submission& record);
  void judge_settled();
  void judge_conservation();
  [[nodiscard]] core::InstanceId id() const noexcept { return {0x5157'0000U + number_ + 1}; }

  Stage& stage_;
  std::uint32_t number_;
  JournalDisk& disk_;
  std::unique_ptr<SimService> service_;
  std::uint32_t lives_ = 0;
  std::uint32_t lanes_wanted_;
  Instant starved_until_{};
  std::vector<std::optional<Call>> calls_;  // by publisher
  std::optional<CrashPoint> dies_in_publish_;
  std::optional<Crash> coming_;  // what the next life is like
  Instant restart_at_{};
  std::vector<Unsettled> unsettled_;
  std::array<bool, core::lanes_max> has_held_rows_{};  // by lane, written in this life
  std::size_t log_read_ = 0;
  bool was_full_ = false;
};

class RelayActor final : public PortWatch {
 public:
  RelayActor(Stage& stage, std::uint32_t number);

  std::size_t step();
  void crash(const Crash& crash, Instant now);
  void restart_if_due(Instant now, bool at_once);
  void starve_until(Instant until) noexcept { starved_until_ = std::max(starved_until_, until); }
  /// When it was last answered what the outbox holds; when it started, if never.
  [[nodiscard]] Instant looked_at() const noexcept { return looked_at_; }

 private:
  void on_submit(std::uint64_t producer, const ports::Submission& record) override;
  void on_rows(core::LaneIndex /*lane*/, std::span<const ports::OutboxRow> /*rows*/) override {}
  void on_release_unknown(core::LaneIndex /*lane*/) override {}
  void on_notify() override {}
  void start();

  Stage& stage_;
  std::uint32_t number_;
  std::unique_ptr<SimRelay> relay_;
  std::uint32_t lives_ = 0;
  Instant starved_until_{};
  Instant restart_at_{};
  std::uint64_t scans_ = 0;
  Instant looked_at_{};
};

}  // namespace spillway::sim
