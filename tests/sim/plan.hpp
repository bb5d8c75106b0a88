// tests/sim/plan.hpp: everything that is decided before a run begins: the world, what is published,
// what goes wrong and when.
//
// A seed becomes a plan, a plan becomes a run. A plan can be written down and read again, so one
// that was made short by shrinking needs no seed any more.

#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "support/sim/fault_plan.hpp"

namespace spillway::sim {

struct PublishEvent {
  Duration at{};  ///< Since the start.
  std::uint32_t instance = 0;
  std::uint32_t publisher = 0;
  std::uint32_t topic = 0;
  std::int32_t key = 0;  ///< Below 0: none.
  std::uint32_t payload_bytes = 0;
  std::uint32_t header_bytes = 0;  ///< 0: no header.
  Duration claimed_for{};          ///< The publisher is preempted before it stamps,
  Duration accepted_for{};         ///< and again before it hands over.
};

enum class OutageKind : std::uint8_t {
  kafka_down,
  kafka_hung,
  kafka_refuses,
  leader_missing,
  leader_stuck,
  postgres_down,
  postgres_hung,
  postgres_slow,
  postgres_fails,
  redis_down,
  redis_hung,
  redis_readonly,
  instance_starved,
  relay_starved,
};
inline constexpr std::size_t outage_kinds = 14;

struct Outage {
  OutageKind kind = OutageKind::kafka_down;
  Duration at{};
  Duration lasts{};
  std::uint32_t target = 0;  ///< A partition of all topics, an instance, a relay.
};

enum class CrashPoint : std::uint8_t {
  between_steps,
  before_effect,     ///< Of a call of a port.
  after_effect,      ///< The call had its effect; nothing after it had.
  publish_claimed,   ///< The record is half-written.
  publish_accepted,  ///< It is whole, and not handed over.
  publish_returned,
};
inline constexpr std::size_t crash_points = 6;

struct Crash {
  Duration at{};
  bool of_relay = false;
  std::uint32_t target = 0;
  CrashPoint point = CrashPoint::between_steps;
  std::uint32_t call = 0;   ///< A PortCall; 0: any.
  std::uint32_t calls = 1;  ///< The how manieth of these.
  Duration down_for{};
  std::uint32_t lanes = 1;           ///< Of the next life.
  std::uint32_t recovery_calls = 0;  ///< Not 0: the next life ends in that call of a port.
};

struct InstancePlan {
  std::uint32_t publishers = 1;
  std::uint32_t lanes = 1;
};

struct TopicPlan {
  std::uint32_t partitions = 1;
  std::uint32_t message_bytes_max = 1'048'588;
  std::uint32_t writable = 1;
  std::uint32_t exists = 1;
};

/// What the loops are told.
struct LoopsPlan {
  std::uint32_t window_records = 50;
  std::uint32_t credit_rows = 60;
  std::uint32_t backlog_rows = 30;
  std::uint32_t high_water_percent = 90;
  std::uint32_t writer_batch_rows = 16;
  std::uint32_t broker_batch_records = 10;
  std::uint32_t relay_broker_batch_records = 10;
  std::uint32_t requests_in_flight = 1;
  std::uint32_t relay_batch_rows = 20;
  std::uint32_t relay_window_rows = 50;
  std::uint32_t segment_bytes = 4'096;
  Duration failover_after{};
  Duration relaxed_for{};
  Duration return_within{};
  Duration poll_start{};
  Duration owner_grace{};
  Duration lease_timeout{};
};

struct Plan {
  std::uint64_t seed = 1;
  Duration tick{};  ///< The clock's shortest step.
  std::vector<InstancePlan> instances;
  std::uint32_t relays = 1;
  std::vector<TopicPlan> topics;
  LoopsPlan loops;
  FaultPlan faults;  ///< Its log is the run's.
  std::vector<PublishEvent> publishes;
  std::vector<Outage> outages;
  std::vector<Crash> crashes;
  /// The faults that happen; nothing: as the rates say.
  std::optional<std::vector<DecisionId>> decisions;
};

struct DrawSettings {
  std::uint32_t publishes = 500;
};

/// Swarm testing (Groce et al., ISSTA 2012): each kind of fault is on with probability 1/2.
[[nodiscard]] Plan draw_plan(std::uint64_t seed, const DrawSettings& settings);

void write_plan(std::ostream& out, const Plan& plan);
/// Nothing when it is not a plan; `error` says where.
[[nodiscard]] std::optional<Plan> read_plan(std::istream& in, std::string& error);

}  // namespace spillway::sim
