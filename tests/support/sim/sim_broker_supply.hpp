// tests/support/sim/sim_broker_supply.hpp: the housekeeper of a simulated world.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "ports/broker_supply.hpp"
#include "support/sim/mortal_ports.hpp"
#include "support/sim/sim_broker.hpp"

namespace spillway::sim {

/// Makes producers that are ready `takes` after their order; the n-th is actor `settings.actor` +
/// n.
class SimBrokerSupply final : public ports::BrokerSupply {
 public:
  SimBrokerSupply(World& world, Process& process, const SimBrokerSettings& settings, Duration takes)
      : world_{world}, process_{process}, settings_{settings}, takes_{takes} {}

  void order(std::size_t batch_bytes_max) override {
    settings_.batch_bytes_max = batch_bytes_max;
    ready_at_ = world_.now() + takes_;
  }
  [[nodiscard]] std::unique_ptr<ports::Broker> take() noexcept override {
    if (!ready_at_ || world_.now() < *ready_at_ || process_.life.is_over()) return nullptr;
    ready_at_.reset();
    auto made = std::make_unique<SimBroker>(world_, settings_);
    ++settings_.actor.value;
    latest_ = made.get();
    return std::make_unique<MortalBroker>(process_, std::move(made));
  }
  void retire(std::unique_ptr<ports::Broker> broker) noexcept override {
    if (&dynamic_cast<MortalBroker&>(*broker).inner() == latest_) latest_ = nullptr;
    ++retired_;
  }

  /// The one made last, while it lives; for tests that make it fail.
  [[nodiscard]] SimBroker* latest() const noexcept { return latest_; }
  [[nodiscard]] std::size_t retired() const noexcept { return retired_; }

 private:
  World& world_;
  Process& process_;
  SimBrokerSettings settings_;
  Duration takes_;
  std::optional<Instant> ready_at_;
  SimBroker* latest_ = nullptr;
  std::size_t retired_ = 0;
};

}  // namespace spillway::sim
