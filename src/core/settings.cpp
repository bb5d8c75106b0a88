#include "core/settings.hpp"

#include <algorithm>
#include <array>

#include "core/nearest.hpp"

namespace spillway::core {
namespace {

constexpr std::int64_t ms = 1'000;
constexpr std::int64_t second = 1'000 * ms;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t kib = std::int64_t{1} << 10;
constexpr std::int64_t mib = std::int64_t{1} << 20;
constexpr std::int64_t gib = std::int64_t{1} << 30;

// A row for the field that `path` leads to: a member of Config, or of a member of it.
template <auto... path>
constexpr Setting at(std::string_view key, Bounds bounds = {}, Unit unit = Unit::none) noexcept {
  return Setting{
      .key = key,
      .field = [](Config& config) noexcept -> MutableField { return &(config.*....*path); },
      .value = [](const Config& config) noexcept -> ReadableField { return &(config.*....*path); },
      .bounds = bounds,
      .unit = unit};
}

constexpr Setting secret(Secret kind, Setting setting) noexcept {
  setting.secret = kind;
  return setting;
}

constexpr Setting left_out(std::string_view means, Setting setting) noexcept {
  setting.left_out = means;
  return setting;
}

constexpr std::array table{
    at<&Config::environment>("environment"),

    at<&Config::kafka, &KafkaConfig::bootstrap_servers>("kafka.bootstrap_servers"),
    at<&Config::kafka, &KafkaConfig::ready_within>("kafka.ready_within", {0, minute}),
    at<&Config::kafka, &KafkaConfig::topic_within>("kafka.topic_within", {100 * ms, minute}),

    secret(Secret::conninfo, at<&Config::postgres, &PostgresConfig::conninfo>("postgres.conninfo")),
    at<&Config::postgres, &PostgresConfig::password_file>("postgres.password_file"),
    at<&Config::postgres, &PostgresConfig::batch_rows_max>("postgres.batch_rows_max", {1, 10'000}),
    at<&Config::postgres, &PostgresConfig::batch_bytes_max>("postgres.batch_bytes_max",
                                                            {4 * kib, 64 * mib}, Unit::bytes),
    at<&Config::postgres, &PostgresConfig::connect_within>("postgres.connect_within",
                                                           {100 * ms, minute}),

    secret(Secret::url, at<&Config::redis, &RedisConfig::url>("redis.url")),
    at<&Config::redis, &RedisConfig::password_file>("redis.password_file"),
    at<&Config::redis, &RedisConfig::list>("redis.list"),
    at<&Config::redis, &RedisConfig::list_max>("redis.list_max", {1, 100'000}),

    left_out("/dev/shm/spillway-<user id>.journal",
             at<&Config::journal, &JournalConfig::path>("journal.path")),
    at<&Config::journal, &JournalConfig::size_bytes>("journal.size_bytes", {4 * mib, 64 * gib},
                                                     Unit::bytes),
    at<&Config::journal, &JournalConfig::record_bytes_max>("journal.record_bytes_max",
                                                           {kib, 1'000'000}, Unit::bytes),
    at<&Config::journal, &JournalConfig::high_water_percent>("journal.high_water_percent",
                                                             {10, 95}),

    left_out("one for each two CPUs, 1 to 4",
             at<&Config::lanes, &LanesConfig::count>("lanes.count", {0, 64})),
    at<&Config::lanes, &LanesConfig::failover_after>("lanes.failover_after", {5 * ms, minute}),
    left_out("no pinning", at<&Config::lanes, &LanesConfig::cpus>("lanes.cpus")),
    at<&Config::lanes, &LanesConfig::window_records>("lanes.window_records", {100, 1'000'000}),
    at<&Config::lanes, &LanesConfig::window_bytes>("lanes.window_bytes", {64 * kib, gib},
                                                   Unit::bytes),
    at<&Config::lanes, &LanesConfig::park_max>("lanes.park_max", {10, 10 * ms}),
    at<&Config::lanes, &LanesConfig::backlog_rows_max>("lanes.backlog_rows_max", {1, 1'000'000}),
    at<&Config::lanes, &LanesConfig::return_within>("lanes.return_within", {50 * ms, minute}),
    left_out("no drill", at<&Config::lanes, &LanesConfig::force_spill>("lanes.force_spill")),

    at<&Config::relay, &RelayConfig::enabled>("relay.enabled"),
    at<&Config::relay, &RelayConfig::poll_start>("relay.poll_start"),
    at<&Config::relay, &RelayConfig::owner_grace>("relay.owner_grace", {second, hour}),
    at<&Config::relay, &RelayConfig::lease_timeout>("relay.lease_timeout", {5 * second + ms, hour}),
    at<&Config::relay, &RelayConfig::batch_rows_max>("relay.batch_rows_max", {1, 10'000}),
    at<&Config::relay, &RelayConfig::batch_bytes_max>("relay.batch_bytes_max", {4 * kib, 64 * mib},
                                                      Unit::bytes),
    at<&Config::relay, &RelayConfig::window_rows>("relay.window_rows", {1, 1'000'000}),

    at<&Config::close_within>("close_within", {0, 10 * minute}),
    at<&Config::log_level>("log_level"),
};

constexpr std::string_view kafka_prefix = "kafka.";
constexpr std::string_view properties_prefix = "kafka.properties.";

}  // namespace

std::span<const Setting> settings() noexcept {
  return table;
}

const Setting* find_setting(std::string_view key) noexcept {
  const auto* const row = std::ranges::find(table, key, &Setting::key);
  return row == table.end() ? nullptr : row;
}

std::optional<std::string_view> passthrough_property(std::string_view key) noexcept {
  if (find_setting(key) != nullptr || !key.starts_with(kafka_prefix)) return std::nullopt;
  if (key.starts_with(properties_prefix)) return key.substr(properties_prefix.size());
  const std::string_view name = key.substr(kafka_prefix.size());
  if (name.empty() || name.find('_') != std::string_view::npos) return std::nullopt;
  return name;
}

std::string key_hint(std::string_view key) {
  std::array<std::string_view, table.size()> keys;
  std::ranges::transform(table, keys.begin(), &Setting::key);
  const auto meant = nearest(key, keys);
  if (!meant) return "; `spillway config` lists all that there are";
  return "; did you mean " + std::string{*meant} + "?";
}

}  // namespace spillway::core
