#include "runtime/relay_runner.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <poll.h>

#include "runtime/clock.hpp"
#include "runtime/server_settings.hpp"
#include "spillway/error.hpp"

namespace spillway::runtime {
namespace {

/// While rows are under way, or a look is overdue: what comes without an event is seen so often.
constexpr core::Duration busy_wait = std::chrono::milliseconds{1};
constexpr core::Duration unconnected_wait = std::chrono::milliseconds{20};
/// Connections and producers want to be looked after even when nothing happens.
constexpr core::Duration idle_wait_max = std::chrono::milliseconds{200};

loops::RelaySettings relay_settings(const Config& config) {
  return {.poll_start = config.relay.poll_start,
          .batch_rows_max = config.relay.batch_rows_max,
          .batch_bytes_max = config.relay.batch_bytes_max,
          .window_rows = config.relay.window_rows,
          .unix_time_offset = unix_time_offset()};
}

}  // namespace

RelayRunner::RelayRunner(const Config& config, Housekeeper& housekeeper, ports::Log& log,
                         loops::KnownTopics known)
    : topics_{directory_},
      names_{directory_, topics_.questions(), std::move(known)},
      store_{pg_relay_settings(config), log},
      wakeups_{redis_settings(config), log},
      loop_{relay_settings(config),
            {.store = store_,
             .wakeups = wakeups_,
             .brokers = brokers_,
             .topics = names_,
             .counters = counters_,
             .log = log,
             .on_dead_letter = config.on_dead_letter}} {
  housekeeper.serve(brokers_);
  housekeeper.serve(topics_);
}

RelayRunner::~RelayRunner() {
  stop();
}

void RelayRunner::start() {
  thread_ = std::make_unique<Thread>("sw-relay", std::nullopt,
                                     [this](const std::stop_token& stop) { run(stop); });
}

void RelayRunner::nudge() noexcept {
  nudged_.store(true, std::memory_order_relaxed);
  event_.set();
}

void RelayRunner::wind_down() noexcept {
  winding_down_.store(true, std::memory_order_relaxed);
  event_.set();
}

void RelayRunner::stop() noexcept {
  if (!thread_) return;
  thread_->request_stop();
  event_.set();
  thread_->join();
  thread_.reset();
  if (auto broker = loop_.take_broker()) brokers_.retire(std::move(broker));
  counters_.running.set(0);
}

void RelayRunner::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (winding_down_.load(std::memory_order_relaxed)) loop_.wind_down();
    if (nudged_.exchange(false, std::memory_order_relaxed)) loop_.on_news();
    const core::Instant at = now();
    const std::size_t work = loop_.step(at);
    wound_down_.store(loop_.is_wound_down(), std::memory_order_relaxed);
    sleep(work, at);
  }
}

// Until a report, an answer of Postgres, a token, an event of this process, or the ladder's rung.
void RelayRunner::sleep(std::size_t work, core::Instant now) {
  if (work != 0) return;
  std::array<pollfd, 3> wanted{pollfd{.fd = event_.descriptor(), .events = POLLIN, .revents = 0},
                               pollfd{.fd = wakeups_.descriptor(), .events = POLLIN, .revents = 0},
                               store_.awaited()};
  wait_for(wanted, longest_sleep(now));
  if (wanted[0].revents != 0) event_.clear();
}

core::Duration RelayRunner::longest_sleep(core::Instant now) const {
  const core::Duration until_look = loop_.next_look() - now;
  // A look that is due and was not begun waits for a connection.
  if (loop_.is_busy() || until_look <= core::Duration::zero()) return busy_wait;
  const bool connected = counters_.postgres_up.get() != 0 && counters_.redis_up.get() != 0;
  return std::min(until_look, connected ? idle_wait_max : unconnected_wait);
}

}  // namespace spillway::runtime
