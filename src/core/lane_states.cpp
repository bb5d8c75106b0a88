#include "core/lane_states.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace spillway::core {
namespace {

bool is_silent(const LaneFacts& seen, const LaneLimits& limits, Instant now) noexcept {
  if (!seen.oldest_unreported_at) return false;
  const Duration patience =
      now < seen.relaxed_until ? limits.failover_after_relaxed : limits.failover_after;
  return now - *seen.oldest_unreported_at >= patience;
}

// A relay that could not keep up with a backlog is not asked to again before it has shrunk.
std::size_t backlog_to_return_at(const LaneFacts& seen, const LaneLimits& limits) noexcept {
  constexpr unsigned halvings_max = 20;  // 1 000 000 rows, the largest setting, to none
  return limits.backlog_rows_max >> std::min(seen.returns_given_up, halvings_max);
}

bool is_above_high_water(const LaneFacts& seen, const LaneLimits& limits) noexcept {
  return seen.journal_percent >= limits.high_water_percent;
}

bool must_spill(const LaneFacts& seen) noexcept {
  return seen.broker_gone || seen.batch_refused || seen.topic_unknown || seen.spill_forced;
}

// Nothing overtakes what is held, and after trips in quick succession Kafka has to prove itself.
bool is_kafka_open(const LaneFacts& seen, Instant now) noexcept {
  return seen.held == 0 && seen.producer_warm && !must_spill(seen) && now >= seen.spill_until;
}

}  // namespace

bool is_overloaded(const LaneFacts& seen, const LaneLimits& limits, Instant now) noexcept {
  return is_kafka_open(seen, now) && !seen.outbox_untouched && is_above_high_water(seen, limits);
}

LaneState next_state(LaneState from, const LaneFacts& seen, const LaneLimits& limits,
                     Instant now) noexcept {
  using enum LaneState;
  switch (from) {
    case direct:
      if (seen.producer_fatal) return recalling;
      return must_spill(seen) || is_silent(seen, limits, now) ? spilling : from;
    case recalling:  // A record whose report is missing may still be appended.
      return seen.reports_owed == 0 ? spilling : from;
    case spilling:
      if (seen.producer_fatal) return recalling;
      if (!is_kafka_open(seen, now) || seen.outbox_owed) return from;
      if (seen.outbox_untouched) return direct;  // No row is, or may be, ahead of us.
      // It would be given up at once, and count as a relay that cannot keep up.
      if (is_above_high_water(seen, limits) && !seen.outbox_drained) return from;
      return seen.backlog_rows <= backlog_to_return_at(seen, limits) ? returning : from;
    case returning:
      if (seen.spill_forced || seen.topic_unknown || seen.producer_fatal) return spilling;
      if (seen.outbox_drained || seen.outbox_untouched) return direct;
      if (is_above_high_water(seen, limits)) return spilling;
      return seen.returning_since && now - *seen.returning_since >= limits.return_within ? spilling
                                                                                         : from;
  }
  die("not a LaneState");
}

std::string trip_reason(const LaneFacts& seen, Instant now) {
  if (seen.producer_fatal) return "the producer is dead";
  if (seen.broker_gone) return "no broker is up";
  if (seen.batch_refused) return "a batch was refused";
  if (seen.topic_unknown) return "Kafka cannot be asked for a topic";
  if (seen.spill_forced) return "lanes.force_spill";
  if (!seen.oldest_unreported_at) return "no reason seen";
  using std::chrono::milliseconds;
  const auto silence = std::chrono::duration_cast<milliseconds>(now - *seen.oldest_unreported_at);
  return "no report for " + std::to_string(silence.count()) + " ms";
}

}  // namespace spillway::core
