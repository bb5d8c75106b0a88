#include "support/sim/sim_wakeup.hpp"

#include <utility>

namespace spillway::sim {

SimRedisLink::SimRedisLink(World& world, ActorId actor)
    : world_{world}, decisions_{world.plan(), actor}, connect_at_{world.now()} {}

bool SimRedisLink::keep(Instant now) {
  const SimRedis& redis = world_.redis();
  if (connected_ && (redis.state() == ServerState::down || incarnation_ != redis.incarnation())) {
    connected_ = false;
    connect_at_ = now + decisions_.within(Choice::reconnect, world_.plan().redis.reconnect);
  }
  if (connected_ || now < connect_at_ || redis.state() != ServerState::up) return false;
  connected_ = true;
  incarnation_ = redis.incarnation();
  return true;
}

std::optional<Instant> SimRedisLink::next_event() const noexcept {
  if (connected_ || world_.redis().state() != ServerState::up) return std::nullopt;
  return connect_at_;
}

SimWakeupSender::SimWakeupSender(World& world, ActorId actor) : world_{world}, link_{world, actor} {
  world_.attach(*this);
}

SimWakeupSender::~SimWakeupSender() {
  world_.detach(*this);
}

void SimWakeupSender::notify() noexcept {
  ++notified_;
  const RedisFaults& faults = world_.plan().redis;
  Decisions& decisions = link_.decisions();
  if (!link_.is_up() || decisions.happens(Choice::push_lost, faults.push_lost)) {
    ++dropped_;
    return;
  }
  Instant due = world_.now() + decisions.within(Choice::wakeup_latency, faults.latency);
  if (decisions.happens(Choice::push_late, faults.push_late)) {
    due += decisions.within(Choice::push_late, faults.late_by);
  }
  world_.redis().push(due);
  if (decisions.happens(Choice::push_doubled, faults.push_doubled)) world_.redis().push(due);
}

void SimWakeupSender::poll(Instant now) noexcept {
  advance(now);
}

void SimWakeupSender::advance(Instant now) {
  static_cast<void>(link_.keep(now));
}

SimWakeupReceiver::SimWakeupReceiver(World& world, ActorId actor)
    : world_{world}, link_{world, actor} {
  world_.attach(*this);
}

SimWakeupReceiver::~SimWakeupReceiver() {
  world_.detach(*this);
}

ports::Wakeups SimWakeupReceiver::poll(Instant now) noexcept {
  advance(now);
  return std::exchange(waiting_, {});
}

void SimWakeupReceiver::advance(Instant now) {
  if (link_.keep(now)) waiting_.reconnected = true;
  if (!link_.is_up()) return;
  const std::size_t popped = world_.redis().pop_all(now);
  for (std::size_t i = 0; i < popped; ++i) {
    if (link_.decisions().happens(Choice::token_lost, world_.plan().redis.token_lost)) {
      world_.trace().count(Happening::token_lost);
    } else {
      ++waiting_.tokens;
    }
  }
}

}  // namespace spillway::sim
