#include "support/sim/sim_world.hpp"

#include <algorithm>
#include <cstddef>

#include "core/check.hpp"

namespace spillway::sim {

World::World(const FaultPlan& plan, Instant start)
    : plan_{plan},
      now_{start},
      kafka_{plan_, trace_},
      database_{plan_, trace_},
      redis_{plan_, trace_} {}

void World::advance(Instant now) {
  SPILLWAY_CHECK(now >= now_);
  now_ = now;
  kafka_.advance(now);
  database_.advance(now);
  redis_.advance(now);
  for (WorldPart* const part : parts_)
    part->advance(now);
}

void World::stop_faults() noexcept {
  KafkaFaults& kafka = plan_.kafka;
  kafka.request_lost = kafka.answer_lost = kafka.fatal = kafka.busy = {};
  PostgresFaults& postgres = plan_.postgres;
  postgres.lost_before_commit = postgres.lost_after_commit = postgres.limbo = {};
  postgres.passing_error = postgres.permanent_error = postgres.session_killed = {};
  RedisFaults& redis = plan_.redis;
  redis.push_lost = redis.push_doubled = redis.push_late = redis.token_lost = {};
}

core::UnixTime World::unix_time() const noexcept {
  constexpr std::int64_t year_2026_ns = 1'767'225'600'000'000'000;
  return {year_2026_ns + now_.time_since_epoch().count()};
}

std::optional<Instant> World::next_event() const {
  std::optional<Instant> next;
  const auto consider = [&next](std::optional<Instant> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  consider(kafka_.next_event());
  consider(database_.next_event());
  consider(redis_.next_event());
  for (const WorldPart* const part : parts_)
    consider(part->next_event());
  return next;
}

void World::attach(WorldPart& part) {
  parts_.push_back(&part);
}

void World::detach(WorldPart& part) {
  std::erase(parts_, &part);
}

}  // namespace spillway::sim
