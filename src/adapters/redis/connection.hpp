// src/adapters/redis/connection.hpp: one connection to Redis that never blocks and comes back by
// itself.
//
//   waiting ──► connecting ──► greeting (AUTH, SELECT, PING) ──► up ──► waiting …     backoff 50 ms
//   to 2 s
//
// hiredis connects and reads replies. It would write with write(), which kills the process by
// SIGPIPE when Redis has gone, so sending is done here. A name lookup blocks inside hiredis; an
// address avoids it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "adapters/redis/handles.hpp"
#include "adapters/redis/redis_url.hpp"
#include "core/backoff.hpp"
#include "core/time.hpp"
#include "ports/log.hpp"
#include "ports/trouble.hpp"

namespace spillway::redis {

/// An error reply, with the way out where there is one.
[[nodiscard]] std::string described(std::string_view error);

enum class ConnectionEvent : std::uint8_t { none, opened, lost };

/// @thread one at a time
class Connection {
 public:
  /// Connects with the first poll().
  Connection(RedisAddress address, ports::Log& log);

  /// Connects, sends what waits, reads what came.
  [[nodiscard]] ConnectionEvent poll(core::Instant now);

  /// Appends one command and sends what the socket takes now.
  void send(std::initializer_list<std::string_view> command);
  /// Null: none is complete. Ask until then after each poll().
  [[nodiscard]] Reply next_reply();

  [[nodiscard]] bool is_up() const noexcept { return state_ == State::up; }
  [[nodiscard]] int descriptor() const noexcept { return context_ ? context_->fd : -1; }
  [[nodiscard]] std::size_t unsent_bytes() const noexcept { return unsent_.size(); }
  [[nodiscard]] std::string server() const { return address_.server(); }

  /// Ends the connection and comes back later. poll() does not report this one.
  void drop(std::string_view why, core::Instant now);
  /// Work was done on it: should it break, the next one is tried soon.
  void reset_backoff() noexcept { backoff_.reset(); }

 private:
  enum class State : std::uint8_t { waiting, connecting, greeting, up };

  void begin_connect(core::Instant now);
  void continue_connect(core::Instant now);
  ConnectionEvent continue_greeting(core::Instant now);
  void greet();
  void send_unsent() noexcept;
  bool receive();

  RedisAddress address_;
  ports::Trouble trouble_;
  core::Backoff backoff_;
  State state_ = State::waiting;
  core::Instant due_at_{};  // waiting: try then; connecting and greeting: give up then
  Context context_;
  std::string unsent_;
  unsigned greetings_owed_ = 0;
  bool broken_ = false;
  std::string why_broken_;
};

}  // namespace spillway::redis
