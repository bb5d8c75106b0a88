// tests/contract/wakeup_test.cpp: what ports/wakeup_channel.hpp says, of the simulated and the real
// list.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "adapters/redis/redis_wakeup.hpp"
#include "ports/wakeup_channel.hpp"
#include "support/driving.hpp"
#include "support/recording_log.hpp"
#include "support/sim/sim_wakeup.hpp"

namespace spillway {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t list_max = 16;

class SimulatedRedis {
 public:
  std::unique_ptr<ports::WakeupSender> sender() {
    return std::make_unique<sim::SimWakeupSender>(world_, sim::ActorId{++actors_});
  }
  std::unique_ptr<ports::WakeupReceiver> receiver() {
    return std::make_unique<sim::SimWakeupReceiver>(world_, sim::ActorId{++actors_});
  }
  void cut(ports::WakeupReceiver& /*receiver*/) {
    world_.redis().set_state(sim::ServerState::down, world_.now());
    world_.advance(world_.now() + 1ms);
    world_.redis().set_state(sim::ServerState::up, world_.now());
  }
  core::Instant now() { return world_.now(); }
  template <class Condition>
  bool eventually(Condition condition) {
    for (int i = 0; i < 50'000; ++i) {
      if (condition()) return true;
      world_.advance(world_.now() + 200us);
    }
    return false;
  }

 private:
  static sim::FaultPlan plan() {
    sim::FaultPlan plan;
    plan.redis.list_max = list_max;
    return plan;
  }
  sim::World world_{plan()};
  std::uint32_t actors_ = 0;
};

class RealRedis {
 public:
  RealRedis() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no test changes its environment.
    const char* url = std::getenv("SPILLWAY_REDIS");
    if (url == nullptr) {
      throw std::runtime_error{
          "SPILLWAY_REDIS is not set: tools/stack up; eval \"$(tools/stack env)\""};
    }
    settings_.url = url;
    settings_.list = "spillway-contract-" + std::to_string(std::random_device{}());
    settings_.list_max = list_max;
  }
  std::unique_ptr<ports::WakeupSender> sender() {
    return std::make_unique<redis::RedisSender>(settings_, log_);
  }
  std::unique_ptr<ports::WakeupReceiver> receiver() {
    return std::make_unique<redis::RedisReceiver>(settings_, log_);
  }
  static void cut(ports::WakeupReceiver& receiver) { ::shutdown(receiver.descriptor(), SHUT_RDWR); }
  static core::Instant now() { return testing::real_now(); }
  template <class Condition>
  bool eventually(Condition condition) {
    return testing::eventually(10s, condition);
  }

 private:
  testing::RecordingLog log_;
  redis::RedisSettings settings_;
};

template <class Redis>
class WakeupContract : public ::testing::Test {
 protected:
  void start_sender() {
    sender_ = redis_.sender();
    ASSERT_TRUE(eventually([&] { return sender_->is_up(); }));
  }
  void start_receiver() {
    receiver_ = redis_.receiver();
    ASSERT_TRUE(eventually([&] { return receiver_->is_up(); }));
    reconnected_ = false;
  }
  /// Turns both ends.
  template <class Condition>
  bool eventually(Condition condition) {
    return redis_.eventually([&] {
      if (sender_) sender_->poll(redis_.now());
      if (receiver_) {
        const ports::Wakeups heard = receiver_->poll(redis_.now());
        tokens_ += heard.tokens;
        reconnected_ = reconnected_ || heard.reconnected;
      }
      return condition();
    });
  }

  Redis redis_;
  std::unique_ptr<ports::WakeupSender> sender_;
  std::unique_ptr<ports::WakeupReceiver> receiver_;
  std::size_t tokens_ = 0;
  bool reconnected_ = false;
};

using Redises = ::testing::Types<SimulatedRedis, RealRedis>;
TYPED_TEST_SUITE(WakeupContract, Redises);

TYPED_TEST(WakeupContract, CarriesATokenToAReceiverThatWaits) {
  this->start_sender();
  this->start_receiver();

  this->sender_->notify();

  EXPECT_TRUE(this->eventually([&] { return this->tokens_ == 1; }));
}

TYPED_TEST(WakeupContract, KeepsATokenForAReceiverThatComesLater) {
  this->start_sender();
  this->sender_->notify();

  this->start_receiver();

  EXPECT_TRUE(this->eventually([&] { return this->tokens_ == 1; }));
}

TYPED_TEST(WakeupContract, DropsATokenWithoutAConnection) {
  this->sender_ = this->redis_.sender();
  ASSERT_FALSE(this->sender_->is_up());
  this->sender_->notify();
  ASSERT_TRUE(this->eventually([&] { return this->sender_->is_up(); }));
  this->start_receiver();

  this->sender_->notify();
  ASSERT_TRUE(this->eventually([&] { return this->tokens_ != 0; }));

  EXPECT_EQ(this->tokens_, 1U);
}

TYPED_TEST(WakeupContract, KeepsNoMoreTokensThanTheListMayHold) {
  this->start_sender();
  for (std::size_t i = 0; i < 10 * list_max; ++i)
    this->sender_->notify();
  this->start_receiver();
  ASSERT_TRUE(this->eventually([&] { return this->tokens_ != 0; }));
  const std::size_t of_the_list = this->tokens_;

  this->sender_->notify();
  ASSERT_TRUE(this->eventually([&] { return this->tokens_ > of_the_list; }));

  EXPECT_LE(this->tokens_, 2 * list_max) << "of ten times as many";
}

TYPED_TEST(WakeupContract, SaysThatItWasAwayWhenItsConnectionComesBack) {
  this->start_sender();
  this->start_receiver();
  this->sender_->notify();
  ASSERT_TRUE(this->eventually([&] { return this->tokens_ == 1; }));
  this->reconnected_ = false;

  this->redis_.cut(*this->receiver_);

  ASSERT_TRUE(this->eventually([&] { return this->reconnected_; }));
  ASSERT_TRUE(this->eventually([&] { return this->sender_->is_up(); }));
  this->sender_->notify();
  EXPECT_TRUE(this->eventually([&] { return this->tokens_ >= 2; }));
}

}  // namespace
}  // namespace spillway
