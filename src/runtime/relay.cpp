#include "spillway/relay.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "runtime/housekeeper.hpp"
#include "runtime/log.hpp"
#include "runtime/metrics_snapshot.hpp"
#include "runtime/relay_runner.hpp"
#include "runtime/server_settings.hpp"

namespace spillway {
struct Relay::Impl {
  explicit Impl(const Config& settings)
      : config{runtime::checked(settings)},
        log{config},
        housekeeper{runtime::broker_settings(config), log},
        runner{config, housekeeper, log} {
    housekeeper.start();
    runner.start();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { close(std::chrono::steady_clock::now() + config.close_within); }

  bool close(Deadline deadline) noexcept {
    if (std::exchange(stopped, true)) return left_nothing;
    constexpr std::chrono::milliseconds look_again_after{1};
    runner.wind_down();
    while (!runner.is_wound_down() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(look_again_after);
    }
    left_nothing = runner.is_wound_down();
    runner.stop();
    housekeeper.stop();
    return left_nothing;
  }

  const Config config;
  runtime::CallbackLog log;
  runtime::Housekeeper housekeeper;
  runtime::RelayRunner runner;
  bool stopped = false;
  bool left_nothing = false;
};

Relay::Relay(std::unique_ptr<Impl> impl) noexcept : impl_{std::move(impl)} {}
Relay::Relay(Relay&& other) noexcept = default;
Relay& Relay::operator=(Relay&& other) noexcept = default;
Relay::~Relay() = default;

Relay Relay::open(const Config& config) {
  return Relay{std::make_unique<Impl>(config)};
}

RelayReport Relay::report() const {
  const handoff::RelayCounters& counters = impl_->runner.counters();
  runtime::LatencySum kafka_up;
  runtime::LatencySum all;
  kafka_up.add(counters.delay_kafka_up);
  all.add(counters.delay_all);
  return {.relay = runtime::relay_metrics(counters),
          .servers = {.kafka_up = counters.broker_up.get() != 0,
                      .postgres_up = counters.postgres_up.get() != 0,
                      .redis_up = counters.redis_up.get() != 0},
          .outbox_queue_depth = counters.depth.get(),
          .outbox_processing_delay = kafka_up.digest(),
          .outbox_processing_delay_all = all.digest()};
}

bool Relay::close(Deadline deadline) noexcept {
  return impl_->close(deadline);
}

}  // namespace spillway
