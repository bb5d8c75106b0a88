// perf/common/wire.hpp: a connection to a broker that is only looked at: when one opens, and when
// it breaks.
//
// A killed JVM needs tens of milliseconds to give its memory back, and the kernel closes its
// sockets after that: until then it is a broker that hangs.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "perf/common/pacer.hpp"

namespace spillway::perf {

/// A moment that one thread notes and any reads.
class Moment {
 public:
  void note(Clock::time_point at) noexcept {
    // Relaxed: it stands for itself.
    ns_.store(at.time_since_epoch().count(), std::memory_order_relaxed);
  }
  [[nodiscard]] std::optional<Clock::time_point> get() const noexcept {
    const std::int64_t ns = ns_.load(std::memory_order_relaxed);
    if (ns == 0) return std::nullopt;
    return Clock::time_point{std::chrono::nanoseconds{ns}};
  }

 private:
  std::atomic<std::int64_t> ns_ = 0;
};

/// Connects every millisecond until it can, then waits until the connection ends.
class Wire {
 public:
  /// `servers` as librdkafka takes them; the first one counts. @throws program::CommandError
  explicit Wire(const std::string& servers);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire() = default;

  /// @thread any
  [[nodiscard]] std::optional<Clock::time_point> opened() const noexcept { return opened_.get(); }
  [[nodiscard]] std::optional<Clock::time_point> broken() const noexcept { return broken_.get(); }

 private:
  void look(const std::stop_token& stop) noexcept;

  std::string host_;
  std::string port_;
  Moment opened_;
  Moment broken_;
  std::jthread thread_;  // last
};

}  // namespace spillway::perf
