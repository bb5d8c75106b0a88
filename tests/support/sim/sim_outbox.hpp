// tests/support/sim/sim_outbox.hpp: the outbox as a stream's owner sees it, in a simulated world.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ports/outbox_store.hpp"
#include "support/sim/sim_session.hpp"

namespace spillway::sim {

class SimOutbox final : public ports::OutboxStore, private WorldPart {
 public:
  SimOutbox(World& world, ActorId actor, core::InstanceId instance);
  ~SimOutbox() override;

  [[nodiscard]] ports::StoreEvent poll(Instant now) noexcept override;
  [[nodiscard]] bool is_idle() const noexcept override { return session_.is_idle(); }
  void write_rows(core::LaneIndex lane, std::span<const ports::OutboxRow> rows) override;
  void write_dead_letters(core::LaneIndex lane,
                          std::span<const ports::DeadLetterRow> letters) override;
  void release(core::LaneIndex lane, core::Seq held_through,
               std::span<const ports::Unfinished> unfinished) override;
  void release_unknown(core::LaneIndex lane) override;
  void read_progress() override;

  /// The connection breaks now; the old session goes on at the server for `lingers`.
  void cut(Duration lingers) { session_.cut(lingers); }

 private:
  /// Of a statement that may outlive this object.
  struct Answer {
    std::vector<ports::StreamState> streams;
  };

  void advance(Instant /*now*/) override {}
  [[nodiscard]] std::optional<Instant> next_event() const override { return session_.next_event(); }
  [[nodiscard]] core::StreamId stream(core::LaneIndex lane) const noexcept {
    return {instance_, lane};
  }

  World& world_;
  core::InstanceId instance_;
  std::shared_ptr<Answer> greeting_ = std::make_shared<Answer>();
  std::shared_ptr<Answer> answer_ = std::make_shared<Answer>();
  bool is_reading_ = false;
  SimSession session_;
};

}  // namespace spillway::sim
