// tests/unit/core/config_rules_test.cpp: which configurations are refused, and what is said.

#include "core/config_rules.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/names.hpp"
#include "core/settings.hpp"

namespace spillway::core {
namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

std::vector<std::string> said_of(const Config& config, NeededServers needed = {}) {
  return texts_of(violations(config, needed));
}

TEST(ConfigRules, TakeEveryPresetAsItIs) {
  for (const Environment environment : environments) {
    EXPECT_EQ(said_of(preset(environment)), std::vector<std::string>{}) << name_of(environment);
    EXPECT_EQ(preset(environment).environment, environment);
  }
}

TEST(ConfigRules, NameTheServersThatAreNeededAndMissing) {
  EXPECT_EQ(violations(Config{}, {.kafka = true, .postgres = true}).size(), 2U);

  const auto found = violations(Config{}, {.kafka = true});

  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().key, "kafka.bootstrap_servers");
  EXPECT_NE(found.front().text.find("SPILLWAY_KAFKA"), std::string::npos);
}

TEST(ConfigRules, SayAllAtOnce) {
  Config config;
  config.lanes.count = 65;
  config.lanes.failover_after = 1ms;
  config.relay.poll_start = 2s;

  EXPECT_EQ(violations(config).size(), 3U);
}

TEST(ConfigRules, AreInclusiveOnBothSidesOfEachBound) {
  for (const Setting& setting : settings()) {
    Config config;
    config.journal.size_bytes = std::size_t{64} << 30;  // so that any window fits
    if (!number_of(setting, config)) continue;

    for (const std::int64_t edge : {setting.bounds.min, setting.bounds.max}) {
      if (setting.key == "relay.poll_start") continue;  // three values, not a range
      ASSERT_TRUE(assign(setting, Untyped{shown_number(setting, edge)}, config)) << setting.key;
      const auto found = violations(config);
      EXPECT_TRUE(std::ranges::none_of(
          found, [&](const Violation& violation) { return violation.key == setting.key; }))
          << setting.key << " at " << edge;
    }
  }
}

struct Row {
  const char* name;
  std::function<void(Config&)> change;
  const char* text;
};

// All of what is said, so that a careless message shows.
const std::array rows{
    Row{"Count", [](Config& config) { config.lanes.count = 65; },
        "lanes.count is 65; it may be 0 to 64; leave it out for one for each two CPUs, 1 to 4"},
    Row{"Duration", [](Config& config) { config.lanes.failover_after = 1ms; },
        "lanes.failover_after is 1ms; it may be 5ms to 60s; leave it out for 75ms"},
    Row{"DefaultOfItsEnvironment",
        [](Config& config) {
          config = preset(Environment::production);
          config.lanes.park_max = 5us;
        },
        "lanes.park_max is 5us; it may be 10us to 10ms; leave it out for 100us"},
    Row{"Size", [](Config& config) { config.journal.record_bytes_max = 100; },
        "journal.record_bytes_max is 100; it may be 1KiB to 1000000; leave it out for 1000000"},
    Row{"HugeDurationDoesNotOverflow",
        [](Config& config) { config.close_within = std::chrono::milliseconds::max(); },
        "close_within is 8760h; it may be 0ms to 10m; leave it out for 5s"},
    Row{"LeaseAboveTheLongestRung", [](Config& config) { config.relay.lease_timeout = 5s; },
        "relay.lease_timeout is 5s; it may be 5001ms to 1h; leave it out for 8s"},
    Row{"Rung", [](Config& config) { config.relay.poll_start = 2s; },
        "relay.poll_start is 2s; it is a rung of the ladder: 100ms, 1s or 5s; leave it out for the "
        "environment's own"},
    Row{"WholeMebibytes", [](Config& config) { config.journal.size_bytes = 64 * mib + 1; },
        "journal.size_bytes is 67108865; it is whole MiB, since segments are 1 MiB; take 65MiB"},
    Row{"WindowAboveHalfOfTheJournal", [](Config& config) { config.journal.size_bytes = 16 * mib; },
        "lanes.window_bytes is 16MiB; it may be half of journal.size_bytes, which is 16MiB, at "
        "most, so that the other half can be spilled; lower it or raise that"},
    Row{"DrillOfALaneThatIsNot",
        [](Config& config) {
          config.lanes.count = 2;
          config.lanes.force_spill = {1, 2};
        },
        "lanes.force_spill is 1,2; it names lanes from 0 to 1; lower it, or set lanes.count above "
        "it"},
    Row{"RedisOverTls", [](Config& config) { config.redis.url = "rediss://:secret@cache:6380"; },
        "redis.url is rediss://:(hidden)@cache:6380; the Redis client has no TLS; use redis:// "
        "through a tunnel, or unix://"},
    Row{"RedisWithoutScheme", [](Config& config) { config.redis.url = "cache:6379"; },
        "redis.url is cache:6379; it begins with redis:// or unix://; leave it out to go without "
        "wakeups"},
    Row{"NoList", [](Config& config) { config.redis.list.clear(); },
        "redis.list is empty; it names the list of tokens; leave it out for outbox:wakeup"},
    Row{"NoSuchCpu",
        [](Config& config) {
          config.lanes.cpus = {0, 1024};
        },
        "lanes.cpus is 0,1024; CPUs are numbered from 0 to 1023; leave it out for no pinning"},
};
class ConfigRuleTable : public testing::TestWithParam<Row> {};

TEST_P(ConfigRuleTable, SaysKeyValueRangeAndTheWayOut) {
  Config config;
  GetParam().change(config);

  EXPECT_EQ(said_of(config), std::vector<std::string>{GetParam().text});
}
INSTANTIATE_TEST_SUITE_P(ConfigRules, ConfigRuleTable, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string{row.param.name}; });

}  // namespace
}  // namespace spillway::core
