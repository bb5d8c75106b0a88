// tests/support/sim/sim_wakeup.hpp: both ends of the wakeup list in a simulated world.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "ports/wakeup_channel.hpp"
#include "support/sim/sim_world.hpp"

namespace spillway::sim {

/// A connection to the simulated Redis, which comes back by itself.
class SimRedisLink {
 public:
  SimRedisLink(World& world, ActorId actor);

  /// True when it was made by this call.
  [[nodiscard]] bool keep(Instant now);
  [[nodiscard]] bool is_up() const noexcept { return connected_; }
  [[nodiscard]] std::optional<Instant> next_event() const noexcept;
  [[nodiscard]] Decisions& decisions() noexcept { return decisions_; }

 private:
  World& world_;
  Decisions decisions_;
  bool connected_ = false;
  std::uint64_t incarnation_ = 0;
  Instant connect_at_;
};

class SimWakeupSender final : public ports::WakeupSender, private WorldPart {
 public:
  SimWakeupSender(World& world, ActorId actor);
  ~SimWakeupSender() override;

  void notify() noexcept override;
  void poll(Instant now) noexcept override;
  [[nodiscard]] bool is_up() const noexcept override { return link_.is_up(); }

  [[nodiscard]] std::uint64_t notified() const noexcept { return notified_; }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  void advance(Instant now) override;
  [[nodiscard]] std::optional<Instant> next_event() const override { return link_.next_event(); }

  World& world_;
  SimRedisLink link_;
  std::uint64_t notified_ = 0;
  std::uint64_t dropped_ = 0;
};

class SimWakeupReceiver final : public ports::WakeupReceiver, private WorldPart {
 public:
  SimWakeupReceiver(World& world, ActorId actor);
  ~SimWakeupReceiver() override;

  [[nodiscard]] ports::Wakeups poll(Instant now) noexcept override;
  /// There is no socket: a driver looks at World::next_event().
  [[nodiscard]] int descriptor() const noexcept override { return -1; }
  [[nodiscard]] bool is_up() const noexcept override { return link_.is_up(); }

 private:
  void advance(Instant now) override;
  [[nodiscard]] std::optional<Instant> next_event() const override { return link_.next_event(); }

  World& world_;
  SimRedisLink link_;
  ports::Wakeups waiting_;
};

}  // namespace spillway::sim
