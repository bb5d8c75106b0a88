#include "core/check.hpp"
#include "spillway/config.hpp"

namespace spillway {
namespace {

constexpr std::size_t kib = std::size_t{1} << 10;
constexpr std::size_t mib = std::size_t{1} << 20;

// One outbox for many services: room for a longer outage, and batches of a middle size.
Config staging() {
  Config config;
  config.environment = Environment::staging;
  config.postgres.batch_rows_max = 768;
  config.postgres.batch_bytes_max = 768 * kib;
  config.journal.size_bytes = 256 * mib;
  config.lanes.failover_after = 100ms;
  config.lanes.park_max = 200us;
  config.relay.poll_start = 1s;
  return config;
}

// A busy broker's pauses are longer, so silence is; the outbox is empty for months, so it is looked
// at rarely; CPUs are there for latency.
Config production() {
  Config config;
  config.environment = Environment::production;
  config.postgres.batch_rows_max = 1'000;
  config.postgres.batch_bytes_max = mib;
  config.journal.size_bytes = 256 * mib;
  config.lanes.failover_after = 150ms;
  config.lanes.park_max = 100us;
  config.relay.poll_start = 5s;
  return config;
}

}  // namespace

Config preset(Environment environment) {
  switch (environment) {
    case Environment::development:
      return Config{};
    case Environment::staging:
      return staging();
    case Environment::production:
      return production();
  }
  core::die("not an Environment");
}

}  // namespace spillway
