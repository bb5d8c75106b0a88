// src/runtime/thread.hpp: the only place that starts threads: name, CPU, signals, and how they
// idle.

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>

#include <poll.h>

#include "core/time.hpp"

namespace spillway::runtime {

/// Runs `body` until it returns; it must do so soon after its token says stop. Takes no signal:
/// those are the host's, and SIGPIPE of a broken socket is nobody's.
class Thread {
 public:
  /// `name` has at most 15 characters. `cpu`: pinned to it.
  Thread(std::string name, std::optional<unsigned> cpu, std::function<void(std::stop_token)> body);

  void request_stop() noexcept { thread_.request_stop(); }
  void join() noexcept {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::jthread thread_;
};

/// Sleeps until one of them is ready, `at_most` so long; those with descriptor -1 never are. What
/// is ready is in their `revents`. @blocks
void wait_for(std::span<pollfd> wanted, core::Duration at_most) noexcept;

/// CPUs that this process may use.
[[nodiscard]] std::size_t usable_cpus() noexcept;

/// What a polling thread does between steps without work: yields a little, then sleeps longer and
/// longer. publish() wakes nobody, so the last sleep is the latency an idle lane adds.
class Idler {
 public:
  explicit Idler(core::Duration park_max) noexcept : park_max_{park_max} {}

  /// @blocks up to park_max when there was no work
  void after(std::size_t work) noexcept;

 private:
  core::Duration park_max_;
  core::Duration park_{};
  unsigned yields_ = 0;
};

}  // namespace spillway::runtime
