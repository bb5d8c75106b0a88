// tests/support/sim/sim_relay_store.hpp: the outbox as a relay sees it, in a simulated world.

#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ports/relay_store.hpp"
#include "support/sim/sim_session.hpp"

namespace spillway::sim {

struct SimRelaySettings {
  ActorId actor;
  Duration owner_grace = std::chrono::seconds{10};
  Duration lease_timeout = std::chrono::seconds{8};
};

class SimRelayStore final : public ports::RelayStore, private WorldPart {
 public:
  SimRelayStore(World& world, const SimRelaySettings& settings);
  ~SimRelayStore() override;

  [[nodiscard]] ports::RelayEvent poll(Instant now) noexcept override;
  [[nodiscard]] bool is_idle() const noexcept override { return session_.is_idle(); }
  void scan(Instant now) override;
  void read(core::StreamId stream, core::Seq after, std::size_t rows_max,
            std::size_t bytes_max) override;
  void finish(core::StreamId stream, core::Seq from, core::Seq through,
              std::span<const ports::RelayDeadLetter> dead) override;
  void give_up(core::StreamId stream) override;

  /// The connection breaks now; the old session keeps its leases at the server for `lingers`.
  void cut(Duration lingers) { session_.cut(lingers); }

  /// Of one statement, which may outlive this object.
  struct Answer {
    std::vector<ports::LeasedStream> leased;
    std::vector<StoredRow> rows;
    std::map<core::InstanceId, Instant> free_since;  ///< Owners' locks, as this relay saw them.
    std::uint32_t adopted = 0;
  };

 private:
  void renew_answer();
  void advance(Instant /*now*/) override {}
  [[nodiscard]] std::optional<Instant> next_event() const override { return session_.next_event(); }

  World& world_;
  SimRelaySettings settings_;
  std::shared_ptr<Answer> answer_ = std::make_shared<Answer>();
  ports::RelayEventKind asked_ = ports::RelayEventKind::none;  ///< What a success will be called.
  SimSession session_;
};

}  // namespace spillway::sim
