// tests/integration/redis_wakeup_test.cpp: wakeup tokens through a real Redis.

#include "adapters/redis/redis_wakeup.hpp"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <poll.h>

#include "adapters/redis/handles.hpp"
#include "adapters/redis/redis_url.hpp"
#include "spillway/error.hpp"
#include "support/driving.hpp"
#include "support/recording_log.hpp"

namespace spillway::redis {
namespace {

using namespace std::chrono_literals;
using spillway::testing::eventually;
using spillway::testing::real_now;

std::string server_url() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no test changes its environment.
  const char* url = std::getenv("SPILLWAY_REDIS");
  if (url == nullptr) {
    throw std::runtime_error{
        "SPILLWAY_REDIS is not set: tools/stack up; eval \"$(tools/stack env)\""};
  }
  return url;
}

RedisAddress server_address() {
  return parse_redis_url(server_url()).address.value_or(RedisAddress{});
}

class RedisWakeupOnServer : public ::testing::Test {
 protected:
  RedisWakeupOnServer() {
    const RedisAddress server = server_address();
    admin_.reset(redisConnect(server.host.c_str(), server.port));
    if (!admin_ || admin_->err != 0) throw std::runtime_error{"no Redis at " + server_url()};
    std::random_device device;
    settings_.url = server_url();
    settings_.list = "spillway-test-" + std::to_string((std::uint64_t{device()} << 32U) | device());
  }
  void TearDown() override { command("DEL " + settings_.list); }

  // Words without spaces.
  Reply command(const std::string& words) {
    return Reply{static_cast<redisReply*>(redisCommand(admin_.get(), words.c_str()))};
  }
  long long length() { return command("LLEN " + settings_.list)->integer; }

  static bool comes_up(RedisSender& sender) {
    return eventually(3s, [&] {
      sender.poll(real_now());
      return sender.is_up();
    });
  }
  static bool comes_up(RedisReceiver& receiver) {
    bool reconnected = false;
    const bool up = eventually(3s, [&] {
      reconnected = receiver.poll(real_now()).reconnected || reconnected;
      return receiver.is_up();
    });
    EXPECT_TRUE(reconnected);
    return up;
  }
  static std::size_t tokens(RedisReceiver& receiver, std::size_t expected) {
    std::size_t heard = 0;
    [[maybe_unused]] const bool all = eventually(2s, [&] {
      heard += receiver.poll(real_now()).tokens;
      return heard >= expected;
    });
    return heard;
  }
  // Until the server waits for it: else what follows could overtake the BLPOP.
  bool is_waiting() {
    return eventually(2s, [&] {
      const Reply clients = command("CLIENT LIST");
      return std::string_view{clients->str, clients->len}.find("cmd=blpop") !=
             std::string_view::npos;
    });
  }

  Context admin_;
  RedisSettings settings_;
  spillway::testing::RecordingLog log_;
};

TEST_F(RedisWakeupOnServer, TakesATokenFromEndToEnd) {
  RedisSender sender{settings_, log_};
  RedisReceiver receiver{settings_, log_};
  ASSERT_TRUE(comes_up(sender));
  ASSERT_TRUE(comes_up(receiver));

  for (int round = 0; round < 100; ++round) {
    sender.notify();
    EXPECT_EQ(tokens(receiver, 1), 1U);
    sender.poll(real_now());
  }

  EXPECT_EQ(length(), 0);
  EXPECT_TRUE(log_.lines().empty());
}

TEST_F(RedisWakeupOnServer, WakesOneWhoWaitsOnTheDescriptor) {
  RedisSender sender{settings_, log_};
  RedisReceiver receiver{settings_, log_};
  ASSERT_TRUE(comes_up(sender));
  ASSERT_TRUE(comes_up(receiver));
  ASSERT_TRUE(is_waiting());
  pollfd entry{.fd = receiver.descriptor(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&entry, 1, 0), 0);

  sender.notify();

  EXPECT_EQ(::poll(&entry, 1, 2'000), 1);
  EXPECT_EQ(receiver.poll(real_now()).tokens, 1U);
}

TEST_F(RedisWakeupOnServer, KeepsNoMoreTokensThanAsked) {
  settings_.list_max = 8;
  RedisSender sender{settings_, log_};
  ASSERT_TRUE(comes_up(sender));

  for (int token = 0; token < 50; ++token)
    sender.notify();

  EXPECT_TRUE(eventually(2s, [&] {
    sender.poll(real_now());
    return length() == 8;
  }));
  RedisReceiver receiver{settings_, log_};
  ASSERT_TRUE(comes_up(receiver));
  EXPECT_EQ(tokens(receiver, 8), 8U);
}

TEST_F(RedisWakeupOnServer, ComesBackAndSaysThatTokensMayBeMissed) {
  RedisSender sender{settings_, log_};
  RedisReceiver receiver{settings_, log_};
  ASSERT_TRUE(comes_up(sender));
  ASSERT_TRUE(comes_up(receiver));

  command("CLIENT KILL TYPE normal SKIPME yes");
  ASSERT_TRUE(eventually(2s, [&] {
    sender.poll(real_now());
    return !sender.is_up();
  }));
  sender.notify();
  EXPECT_EQ(sender.dropped(), 1U);
  ASSERT_TRUE(
      eventually(2s, [&] { return receiver.poll(real_now()).tokens == 0 && !receiver.is_up(); }));

  ASSERT_TRUE(comes_up(sender));
  ASSERT_TRUE(comes_up(receiver));
  sender.notify();
  EXPECT_EQ(tokens(receiver, 1), 1U);
}

TEST_F(RedisWakeupOnServer, SaysAnErrorOnceAndThatItIsOver) {
  RedisSender sender{settings_, log_};
  ASSERT_TRUE(comes_up(sender));
  command("SET " + settings_.list + " taken");

  for (int token = 0; token < 20; ++token)
    sender.notify();
  ASSERT_TRUE(eventually(2s, [&] {
    sender.poll(real_now());
    return log_.count("WRONGTYPE") > 0;
  }));
  command("DEL " + settings_.list);
  EXPECT_TRUE(eventually(2s, [&] {
    sender.notify();
    sender.poll(real_now());
    return log_.count("taken again") == 1;
  }));

  EXPECT_EQ(log_.count("WRONGTYPE"), 1U);
  EXPECT_TRUE(sender.is_up());
}

TEST_F(RedisWakeupOnServer, WorksWithNoMoreRightsThanDocumented) {
  const std::string user = settings_.list;
  command("ACL SETUSER " + user + " on >open -@all +lpush +ltrim +blpop +ping ~" + settings_.list);
  settings_.url = "redis://" + user + "@" + server_address().server();
  settings_.password = "wrong";
  RedisSender refused{settings_, log_};
  EXPECT_FALSE(eventually(200ms, [&] {
    refused.poll(real_now());
    return refused.is_up();
  }));
  EXPECT_EQ(log_.count("WRONGPASS"), 1U);
  EXPECT_EQ(log_.count("redis.password_file"), 1U);

  settings_.password = "open";
  RedisSender sender{settings_, log_};
  RedisReceiver receiver{settings_, log_};
  ASSERT_TRUE(comes_up(sender));
  ASSERT_TRUE(comes_up(receiver));
  sender.notify();
  EXPECT_EQ(tokens(receiver, 1), 1U);
  command("ACL DELUSER " + user);
}

TEST_F(RedisWakeupOnServer, NeverBlocksAndLogsOnceWhileRedisIsAway) {
  settings_.url = "redis://127.0.0.1:1";
  RedisSender sender{settings_, log_};
  RedisReceiver receiver{settings_, log_};

  EXPECT_FALSE(eventually(300ms, [&] {
    sender.poll(real_now());
    sender.notify();
    return receiver.poll(real_now()).reconnected;
  }));

  EXPECT_FALSE(sender.is_up());
  EXPECT_GT(sender.dropped(), 0U);
  EXPECT_EQ(log_.lines().size(), 2U);  // each of the two, once
  EXPECT_EQ(log_.count("127.0.0.1:1"), 2U);
}

TEST_F(RedisWakeupOnServer, DoesNothingWithoutAnAddress) {
  settings_.url.clear();
  RedisSender sender{settings_, log_};
  RedisReceiver receiver{settings_, log_};

  sender.poll(real_now());
  sender.notify();

  EXPECT_EQ(receiver.poll(real_now()).tokens, 0U);
  EXPECT_EQ(receiver.descriptor(), -1);
}

TEST_F(RedisWakeupOnServer, RefusesTlsByName) {
  settings_.url = "rediss://cache";

  EXPECT_THROW(RedisSender(settings_, log_), StartError);
}

}  // namespace
}  // namespace spillway::redis
