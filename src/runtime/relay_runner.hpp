// src/runtime/relay_runner.hpp: the relay's thread, in a pipeline or in a process of its own.

#pragma once

#include <atomic>
#include <memory>

#include "adapters/postgres/pg_relay.hpp"
#include "adapters/redis/redis_wakeup.hpp"
#include "handoff/counters.hpp"
#include "loops/relay_loop.hpp"
#include "runtime/event.hpp"
#include "runtime/housekeeper.hpp"
#include "runtime/thread.hpp"
#include "spillway/config.hpp"

namespace spillway::runtime {

class RelayRunner {
 public:
  /// Registers with the housekeeper, which is started afterwards. @throws StartError
  RelayRunner(const Config& config, Housekeeper& housekeeper, ports::Log& log,
              loops::KnownTopics known = {});
  RelayRunner(const RelayRunner&) = delete;
  RelayRunner& operator=(const RelayRunner&) = delete;
  ~RelayRunner();

  void start();
  /// Rows were COMMITted in this process. @thread any
  void nudge() noexcept;
  /// From now on reads no further row, finishes what it has, returns the leases.
  void wind_down() noexcept;
  [[nodiscard]] bool is_wound_down() const noexcept {
    return wound_down_.load(std::memory_order_relaxed);
  }
  /// Ends the thread and gives the producer to the housekeeper.
  void stop() noexcept;

  [[nodiscard]] const handoff::RelayCounters& counters() const noexcept { return counters_; }

 private:
  void run(const std::stop_token& stop);
  void sleep(std::size_t work, core::Instant now);
  [[nodiscard]] core::Duration longest_sleep(core::Instant now) const;

  // Reports, nudge(), wind_down() and stop() wake the thread. Outlives the producers that set it.
  Event event_{"relay"};
  handoff::RelayCounters counters_;
  handoff::TopicDirectory directory_;
  BrokerDesk brokers_{event_.descriptor()};
  TopicDesk topics_;
  loops::RelayTopics names_;
  postgres::PgRelay store_;
  redis::RedisReceiver wakeups_;
  loops::RelayLoop loop_;
  // Relaxed: flags that are looked at every step; the eventfd only hastens it.
  std::atomic<bool> nudged_{false};
  std::atomic<bool> winding_down_{false};
  std::atomic<bool> wound_down_{false};
  std::unique_ptr<Thread> thread_;
};

}  // namespace spillway::runtime
