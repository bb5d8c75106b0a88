// tests/support/sim/sim_world.hpp: one simulated world: Kafka, Postgres, Redis, and the time.
//
// Nothing happens between two calls of advance(): it moves the servers and every port that was made
// in this world to the time it is told. Everything follows from FaultPlan::seed and the calls made.

#pragma once

#include <optional>
#include <vector>

#include "core/time.hpp"
#include "support/sim/fault_plan.hpp"
#include "support/sim/sim_database.hpp"
#include "support/sim/sim_kafka.hpp"
#include "support/sim/sim_redis.hpp"
#include "support/sim/trace.hpp"

namespace spillway::sim {

/// A port's own life, as a client library's threads would lead it.
class WorldPart {
 public:
  WorldPart() = default;
  WorldPart(const WorldPart&) = delete;
  WorldPart& operator=(const WorldPart&) = delete;
  virtual ~WorldPart() = default;
  virtual void advance(Instant now) = 0;
  [[nodiscard]] virtual std::optional<Instant> next_event() const = 0;
};

/// Outlives every port made in it.
class World {
 public:
  explicit World(const FaultPlan& plan, Instant start = Instant{std::chrono::hours{1}});

  /// Time does not go back.
  void advance(Instant now);
  [[nodiscard]] Instant now() const noexcept { return now_; }
  [[nodiscard]] core::UnixTime unix_time() const noexcept;
  /// When something will happen by itself; nothing when the world waits for a call.
  [[nodiscard]] std::optional<Instant> next_event() const;

  /// Nothing goes wrong by itself any more.
  void stop_faults() noexcept;
  [[nodiscard]] const FaultPlan& plan() const noexcept { return plan_; }
  [[nodiscard]] Trace& trace() noexcept { return trace_; }
  [[nodiscard]] SimKafka& kafka() noexcept { return kafka_; }
  [[nodiscard]] SimDatabase& database() noexcept { return database_; }
  [[nodiscard]] SimRedis& redis() noexcept { return redis_; }

  void attach(WorldPart& part);
  void detach(WorldPart& part);

 private:
  FaultPlan plan_;
  Instant now_;
  Trace trace_;
  SimKafka kafka_;
  SimDatabase database_;
  SimRedis redis_;
  std::vector<WorldPart*> parts_;  // in the order of their making
};

}  // namespace spillway::sim
