#include "core/config_rules.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/check.hpp"
#include "core/setting_values.hpp"
#include "core/settings.hpp"

namespace spillway::core {
namespace {

using Violations = std::vector<Violation>;

constexpr std::size_t mib = std::size_t{1} << 20;
constexpr unsigned cpus_max = 1'024;  // CPU_SETSIZE

void add(Violations& found, std::string_view key, const Config& config, std::string_view rest) {
  const Setting* setting = find_setting(key);
  SPILLWAY_CHECK(setting != nullptr);
  found.push_back({std::string{key}, std::string{key} + " is " + shown_value(*setting, config) +
                                         "; " + std::string{rest}});
}

void judge_bounds(const Config& config, Violations& found) {
  const Config defaults = preset(config.environment);
  for (const Setting& setting : settings()) {
    const auto number = number_of(setting, config);
    if (!number || (*number >= setting.bounds.min && *number <= setting.bounds.max)) continue;
    const std::string left_out =
        setting.left_out.empty() ? shown_value(setting, defaults) : std::string{setting.left_out};
    add(found, setting.key, config,
        "it may be " + shown_number(setting, setting.bounds.min) + " to " +
            shown_number(setting, setting.bounds.max) + "; leave it out for " + left_out);
  }
}

void judge_servers(const Config& config, NeededServers needed, Violations& found) {
  if (needed.kafka && config.kafka.bootstrap_servers.empty()) {
    found.push_back({"kafka.bootstrap_servers",
                     "kafka.bootstrap_servers is not set; it names the brokers, as host:port; set "
                     "it, or SPILLWAY_KAFKA"});
  }
  if (needed.postgres && config.postgres.conninfo.empty()) {
    found.push_back({"postgres.conninfo",
                     "postgres.conninfo is not set; it says where the outbox is, as \"host=... "
                     "dbname=... user=...\"; set it, or SPILLWAY_POSTGRES"});
  }
}

void judge_redis(const Config& config, Violations& found) {
  const std::string& url = config.redis.url;
  if (url.starts_with("rediss://")) {
    add(found, "redis.url", config,
        "the Redis client has no TLS; use redis:// through a tunnel, or unix://");
  } else if (!url.empty() && !url.starts_with("redis://") && !url.starts_with("unix://")) {
    add(found, "redis.url", config,
        "it begins with redis:// or unix://; leave it out to go without wakeups");
  }
  if (config.redis.list.empty()) {
    found.push_back(
        {"redis.list", "redis.list is empty; it names the list of tokens; leave it out for " +
                           RedisConfig{}.list});
  }
}

void judge_journal(const Config& config, Violations& found) {
  const std::size_t size = config.journal.size_bytes;
  if (size % mib != 0) {
    add(found, "journal.size_bytes", config,
        "it is whole MiB, since segments are 1 MiB; take " +
            format_size(static_cast<std::int64_t>((size / mib + 1) * mib)));
  }
  if (config.lanes.window_bytes > size / 2) {
    add(found, "lanes.window_bytes", config,
        "it may be half of journal.size_bytes, which is " +
            format_size(static_cast<std::int64_t>(size)) +
            ", at most, so that the other half can be spilled; lower it or raise that");
  }
}

void judge_lanes(const Config& config, Violations& found) {
  if (std::ranges::any_of(config.lanes.cpus, [](unsigned cpu) { return cpu >= cpus_max; })) {
    add(found, "lanes.cpus", config,
        "CPUs are numbered from 0 to 1023; leave it out for no pinning");
  }
  const unsigned count = std::max(config.lanes.count, 1U);  // 0 makes one at least
  if (std::ranges::any_of(config.lanes.force_spill,
                          [count](unsigned lane) { return lane >= count; })) {
    add(found, "lanes.force_spill", config,
        "it names lanes from 0 to " + std::to_string(count - 1) +
            "; lower it, or set lanes.count above it");
  }
}

void judge_relay(const Config& config, Violations& found) {
  constexpr std::array<std::chrono::milliseconds, 3> rungs{100ms, 1s, 5s};
  if (std::ranges::find(rungs, config.relay.poll_start) == rungs.end()) {
    add(found, "relay.poll_start", config,
        "it is a rung of the ladder: 100ms, 1s or 5s; leave it out for the environment's own");
  }
}

}  // namespace

std::vector<Violation> violations(const Config& config, NeededServers needed) {
  Violations found;
  judge_servers(config, needed, found);
  judge_bounds(config, found);
  judge_redis(config, found);
  judge_journal(config, found);
  judge_lanes(config, found);
  judge_relay(config, found);
  return found;
}

std::vector<std::string> texts_of(const std::vector<Violation>& violations) {
  std::vector<std::string> texts;
  std::ranges::transform(violations, std::back_inserter(texts), &Violation::text);
  return texts;
}

}  // namespace spillway::core
