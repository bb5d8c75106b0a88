// src/ports/wakeup_channel.hpp: the Redis list of tokens, at both ends. A token is a hint, never
// the truth.

#pragma once

#include <cstddef>

#include "core/time.hpp"

namespace spillway::ports {

/// The writer's end. Connects by itself, with backoff, for ever; never blocks.
class WakeupSender {
 public:
  WakeupSender() = default;
  WakeupSender(const WakeupSender&) = delete;
  WakeupSender& operator=(const WakeupSender&) = delete;
  virtual ~WakeupSender() = default;

  /// Pushes one token; without a connection it is dropped, and counted.
  virtual void notify() noexcept = 0;
  /// Moves the connection on and reads answers.
  virtual void poll(core::Instant now) noexcept = 0;
  [[nodiscard]] virtual bool is_up() const noexcept = 0;
};

struct Wakeups {
  std::size_t tokens = 0;
  bool reconnected = false;  ///< Tokens may have been missed: look once.
};

/// The relay's end: one BLPOP is always pending on its own connection.
class WakeupReceiver {
 public:
  WakeupReceiver() = default;
  WakeupReceiver(const WakeupReceiver&) = delete;
  WakeupReceiver& operator=(const WakeupReceiver&) = delete;
  virtual ~WakeupReceiver() = default;

  [[nodiscard]] virtual Wakeups poll(core::Instant now) noexcept = 0;
  /// The socket to wait on for reading; -1 while there is none.
  [[nodiscard]] virtual int descriptor() const noexcept = 0;
  [[nodiscard]] virtual bool is_up() const noexcept = 0;
};

}  // namespace spillway::ports
