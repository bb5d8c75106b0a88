// src/adapters/redis/redis_wakeup.hpp: the list of wakeup tokens in Redis: ports/wakeup_channel.
//
//   writer: LPUSH list 1, LTRIM list 0 max-1     pipelined; answers are read, never waited for
//   relay:  BLPOP list 20                        always pending, on a connection of its own
//
// A token that is lost costs one rung of the relay's interval, so everything here gives up early.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "adapters/redis/connection.hpp"
#include "core/time.hpp"
#include "ports/log.hpp"
#include "ports/trouble.hpp"
#include "ports/wakeup_channel.hpp"

namespace spillway::redis {

struct RedisSettings {
  std::string url = {};       ///< Empty: no wakeups; nothing is connected.
  std::string password = {};  ///< What `redis.password_file` holds; wins over one in `url`.
  std::string list = "outbox:wakeup";
  std::size_t list_max = 64;
};

/// @thread one at a time
class RedisSender final : public ports::WakeupSender {
 public:
  /// @throws StartError when `url` cannot be read
  RedisSender(RedisSettings settings, ports::Log& log);

  void notify() noexcept override;
  void poll(core::Instant now) noexcept override;
  [[nodiscard]] bool is_up() const noexcept override;
  /// Tokens that were not sent.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  void judge(const redisReply& reply, core::Instant now);

  std::string list_;
  std::string list_last_;  // the index of the last token kept
  ports::Trouble trouble_;
  std::unique_ptr<Connection> connection_;
  std::uint64_t replies_owed_ = 0;
  core::Instant answered_at_{};
  core::Instant look_at_{};
  std::uint64_t dropped_ = 0;
};

/// @thread one at a time
class RedisReceiver final : public ports::WakeupReceiver {
 public:
  /// @throws StartError when `url` cannot be read
  RedisReceiver(RedisSettings settings, ports::Log& log);

  [[nodiscard]] ports::Wakeups poll(core::Instant now) noexcept override;
  /// While it connects, this turns readable only when that fails: poll() again soon.
  [[nodiscard]] int descriptor() const noexcept override;
  [[nodiscard]] bool is_up() const noexcept override;

 private:
  void ask(core::Instant now);

  std::string list_;
  std::unique_ptr<Connection> connection_;
  core::Instant answer_due_at_{};
};

}  // namespace spillway::redis
