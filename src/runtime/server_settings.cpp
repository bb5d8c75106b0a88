#include "runtime/server_settings.hpp"

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <sys/random.h>

#include "core/config_rules.hpp"
#include "spillway/error.hpp"

namespace spillway::runtime {
namespace {

std::uint64_t random_number() {
  std::uint64_t number = 0;
  while (::getrandom(&number, sizeof number, 0) != sizeof number) {
  }
  return number;
}

}  // namespace

const Config& checked(const Config& config) {
  std::vector<std::string> texts =
      core::texts_of(core::violations(config, {.kafka = true, .postgres = true}));
  for (std::string& text : kafka::check_properties(config.kafka.properties)) {
    texts.push_back(std::move(text));
  }
  if (!texts.empty()) throw ConfigError{std::move(texts)};
  return config;
}

std::string read_secret(const std::string& path, const std::string& setting) {
  if (path.empty()) return {};
  std::ifstream file{path};
  std::string secret;
  if (!file || !std::getline(file, secret)) {
    throw StartError{setting + ": cannot read a password from " + path +
                     "; it holds the password alone, on its first line"};
  }
  return secret;
}

kafka::BrokerSettings broker_settings(const Config& config) {
  kafka::BrokerSettings settings;
  settings.bootstrap_servers = config.kafka.bootstrap_servers;
  settings.properties = config.kafka.properties;
  settings.queue_bytes_max = 2 * config.journal.size_bytes;
  return settings;
}

postgres::PgOutboxSettings pg_outbox_settings(const Config& config, core::InstanceId instance) {
  postgres::PgOutboxSettings settings;
  settings.conninfo = config.postgres.conninfo;
  settings.password = read_secret(config.postgres.password_file, "postgres.password_file");
  settings.instance = instance;
  settings.connect_within = config.postgres.connect_within;
  return settings;
}

postgres::PgRelaySettings pg_relay_settings(const Config& config) {
  postgres::PgRelaySettings settings;
  settings.conninfo = config.postgres.conninfo;
  settings.password = read_secret(config.postgres.password_file, "postgres.password_file");
  settings.holder.value = random_number();
  settings.owner_grace = config.relay.owner_grace;
  settings.lease_timeout = config.relay.lease_timeout;
  settings.connect_within = config.postgres.connect_within;
  return settings;
}

redis::RedisSettings redis_settings(const Config& config) {
  return {.url = config.redis.url,
          .password = read_secret(config.redis.password_file, "redis.password_file"),
          .list = config.redis.list,
          .list_max = config.redis.list_max};
}

}  // namespace spillway::runtime
