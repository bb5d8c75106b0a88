// src/runtime/server_settings.hpp: Config → what each adapter is told.

#pragma once

#include "adapters/kafka/settings.hpp"
#include "adapters/postgres/pg_outbox.hpp"
#include "adapters/postgres/pg_relay.hpp"
#include "adapters/redis/redis_wakeup.hpp"
#include "spillway/config.hpp"

namespace spillway::runtime {

/// The same, if it can be used. Every violation, of bounds, of librdkafka's settings and of the
/// Redis URL. @throws ConfigError
[[nodiscard]] const Config& checked(const Config& config);

[[nodiscard]] kafka::BrokerSettings broker_settings(const Config& config);
/// @throws StartError when a password file cannot be read
[[nodiscard]] postgres::PgOutboxSettings pg_outbox_settings(const Config& config,
                                                            core::InstanceId instance);
[[nodiscard]] postgres::PgRelaySettings pg_relay_settings(const Config& config);
[[nodiscard]] redis::RedisSettings redis_settings(const Config& config);

/// A file's first line. Empty path: empty. @throws StartError naming the setting
[[nodiscard]] std::string read_secret(const std::string& path, const std::string& setting);

}  // namespace spillway::runtime
