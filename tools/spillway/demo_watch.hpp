// tools/spillway/demo_watch.hpp: the two moments that the demo times: all is safe; all is back.
//
// Each has a thread of its own, because what it waits for is over within milliseconds.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>

#include "raw_client.hpp"
#include "spillway/pipeline.hpp"

namespace spillway::program {

using DemoClock = std::chrono::steady_clock;

/// A moment that one thread notes and another reads.
class Moment {
 public:
  void note(DemoClock::time_point at) noexcept {
    // Relaxed: it stands for itself.
    ns_.store(at.time_since_epoch().count(), std::memory_order_relaxed);
  }
  [[nodiscard]] std::optional<DemoClock::time_point> get() const noexcept {
    const std::int64_t ns = ns_.load(std::memory_order_relaxed);
    if (ns == 0) return std::nullopt;
    return DemoClock::time_point{std::chrono::nanoseconds{ns}};
  }

 private:
  std::atomic<std::int64_t> ns_ = 0;
};

/// How long it takes until everything accepted before its making is settled.
class FailoverWatch {
 public:
  FailoverWatch(const Pipeline& pipeline, std::chrono::milliseconds at_most);
  /// @blocks until it is known @thread the one that made it
  [[nodiscard]] std::optional<std::chrono::nanoseconds> result();

 private:
  DemoClock::time_point began_;
  Moment settled_;
  std::jthread thread_;
};

/// Looks at the counters every millisecond, until the outbox is empty and all lanes are direct
/// again.
class RecoveryWatch {
 public:
  RecoveryWatch(const Pipeline& pipeline, const RawClient& raw);

  [[nodiscard]] std::optional<DemoClock::time_point> first_row() const noexcept {
    return first_row_.get();
  }
  /// Kafka has what the lanes held, and the relay may start.
  [[nodiscard]] std::optional<DemoClock::time_point> released() const noexcept {
    return released_.get();
  }
  [[nodiscard]] std::optional<DemoClock::time_point> outbox_empty() const noexcept {
    return outbox_empty_.get();
  }
  [[nodiscard]] std::optional<DemoClock::time_point> all_direct() const noexcept {
    return all_direct_.get();
  }

 private:
  void watch(const std::stop_token& stop) noexcept;

  const Pipeline& pipeline_;
  const RawClient& raw_;
  std::uint64_t acked_before_;
  Moment first_row_;
  Moment released_;
  Moment outbox_empty_;
  Moment all_direct_;
  std::jthread thread_;  // last
};

}  // namespace spillway::program
