// tests/support/sim/fault_plan.hpp: what may go wrong in a simulated world, how often, and who
// decides.
//
// Every decision is mix(seed, kind, actor, n), n being that actor's own count for that kind: there
// is no shared generator, so leaving one event out leaves all other decisions as they were. Whole
// numbers only, so a seed means the same with every compiler. The default plan has latencies and no
// faults.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "core/time.hpp"

namespace spillway::sim {

using core::Duration;
using core::Instant;

/// Who decides: every port and every server of a world has a number of its own.
struct ActorId {
  std::uint32_t value = 0;
};

/// Parts per million.
struct Rate {
  std::uint32_t ppm = 0;
};
inline constexpr Rate always{1'000'000};

struct DurationRange {
  Duration min{};
  Duration max{};
};

/// Kinds of decision. New ones go to the end: the numbers are part of what a seed means.
enum class Choice : std::uint8_t {
  partition,
  request_latency,
  answer_latency,
  request_lost,
  answer_lost,
  fate,
  late_by,
  reconnect,
  producer_id,
  fatal,
  fatal_purge,
  busy,
  report_order,
  batch_records,
  poison,
  statement_latency,
  statement_fate,
  statement_error,
  limbo,
  notice,
  session_killed,
  crash_commit,
  crash_undo,
  push_lost,
  token_lost,
  wakeup_latency,
  push_doubled,
  push_late,
  plan,
  schedule,
  kept_back,
};
inline constexpr std::size_t choice_count = 31;

/// The `n`-th yes or no of its kind that an actor had to say.
struct DecisionId {
  Choice kind = Choice::partition;
  std::uint32_t actor = 0;
  std::uint64_t n = 0;
  friend auto operator<=>(const DecisionId&, const DecisionId&) = default;
};

/// Which faults happened, so that a run can be repeated with some of them: a plan that lists its
/// decisions outlives the code that drew them.
struct DecisionLog {
  std::vector<DecisionId> happened;
  std::optional<std::set<DecisionId>> allowed;  ///< Else what the rates say.
};

struct KafkaFaults {
  DurationRange request_latency{std::chrono::microseconds{100}, std::chrono::microseconds{400}};
  DurationRange answer_latency{std::chrono::microseconds{50}, std::chrono::microseconds{200}};
  DurationRange reconnect{std::chrono::milliseconds{1}, std::chrono::milliseconds{20}};
  DurationRange producer_id{std::chrono::milliseconds{1}, std::chrono::milliseconds{5}};
  Duration socket_timeout = std::chrono::seconds{2};  ///< Of a hung broker, as the client sees it.
  Rate request_lost;                                  ///< The connection with it.
  Rate answer_lost;                                   ///< After the append.
  Rate fatal;                                         ///< Per answered request.
  Rate busy;                                          ///< Per submit.
  Rate poison_record;                                 ///< By content, so a retry fails too.
  Rate reports_shuffled;                              ///< Per report.
  Rate kept_back;  ///< Per take_back() and partition: the client does not have all of it.
  /// What becomes of a request whose client is gone: it has arrived, arrives late, or never does.
  Rate fate_before{400'000};
  Rate fate_later{300'000};
  DurationRange late_by{std::chrono::microseconds{100}, std::chrono::seconds{5}};
};

struct PostgresFaults {
  DurationRange statement_latency{std::chrono::microseconds{200}, std::chrono::milliseconds{1}};
  DurationRange reconnect{std::chrono::milliseconds{5}, std::chrono::milliseconds{50}};
  Duration patience = std::chrono::seconds{5};  ///< A client's, with a server that does not answer.
  Rate lost_before_commit;
  Rate lost_after_commit;
  Rate limbo;  ///< The client is gone, the old session commits later, if nobody ends it before.
  DurationRange limbo_for{std::chrono::milliseconds{1}, std::chrono::seconds{2}};
  Rate passing_error;    ///< Without effect; a retry may succeed.
  Rate permanent_error;  ///< Without effect; a retry fails too.
  Rate session_killed;   ///< Per statement of a relay: it ends on the server only.
  DurationRange notice{std::chrono::milliseconds{1}, std::chrono::seconds{10}};
  Rate commit_at_crash{500'000};  ///< Of the statements that run when the server dies.
  /// Commits with synchronous_commit=off that a dying server forgets reach back this far.
  Duration async_window = std::chrono::milliseconds{600};
  Rate async_forgotten;
};

struct RedisFaults {
  DurationRange latency{std::chrono::microseconds{30}, std::chrono::microseconds{200}};
  DurationRange reconnect{std::chrono::milliseconds{5}, std::chrono::milliseconds{50}};
  Rate push_lost;
  Rate push_doubled;
  Rate push_late;
  DurationRange late_by{std::chrono::milliseconds{1}, std::chrono::seconds{2}};
  Rate token_lost;  ///< Popped, and never seen by the relay.
  std::size_t list_max = 64;
};

struct FaultPlan {
  std::uint64_t seed = 1;
  KafkaFaults kafka;
  PostgresFaults postgres;
  RedisFaults redis;
  DecisionLog* log = nullptr;  ///< Outlives the world.
};

/// A decision's 64 bits.
[[nodiscard]] std::uint64_t mix(std::uint64_t seed, Choice kind, ActorId actor,
                                std::uint64_t n) noexcept;

/// One actor's decisions.
class Decisions {
 public:
  Decisions(std::uint64_t seed, ActorId actor) noexcept : seed_{seed}, actor_{actor} {}
  Decisions(const FaultPlan& plan, ActorId actor) noexcept
      : seed_{plan.seed}, actor_{actor}, log_{plan.log} {}

  [[nodiscard]] bool happens(Choice kind, Rate rate) noexcept;
  [[nodiscard]] std::uint64_t below(Choice kind, std::uint64_t bound) noexcept;
  [[nodiscard]] Duration within(Choice kind, const DurationRange& range) noexcept;

 private:
  [[nodiscard]] std::uint64_t next(Choice kind) noexcept;

  std::uint64_t seed_;
  ActorId actor_;
  DecisionLog* log_ = nullptr;
  std::array<std::uint64_t, choice_count> counts_{};
};

}  // namespace spillway::sim
