// tests/unit/runtime/config_load_test.cpp: the preset, the file, the variables and the flags, in
// that order; and what is said when one of them is wrong.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "spillway/config.hpp"
#include "spillway/error.hpp"

namespace spillway {
namespace {

using Faults = std::vector<std::string>;

class ConfigLoad : public testing::Test {
 protected:
  void SetUp() override {
    forget_variables();  // of the shell that runs the tests
  }
  void TearDown() override {
    forget_variables();
    std::filesystem::remove(path_);
  }

  static void forget(const std::string& variable) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread.
    unsetenv(variable.c_str());
  }

  static void set(const std::string& variable, const std::string& value) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread.
    ASSERT_EQ(setenv(variable.c_str(), value.c_str(), 1), 0);
  }

  LoadedConfig load(const std::string& toml, const std::map<std::string, std::string>& flags = {}) {
    std::ofstream{path_} << toml;
    return load_config(path_, flags);
  }

  // Each fault, with the file's name as app.toml.
  Faults faults_of(const std::string& toml, const std::map<std::string, std::string>& flags = {}) {
    try {
      (void)load(toml, flags);
    } catch (const ConfigError& error) {
      Faults faults = error.violations();
      for (std::string& fault : faults) {
        if (fault.starts_with(path_)) fault.replace(0, path_.size(), "app.toml");
      }
      return faults;
    }
    return {};
  }

  static SettingOrigin row(const LoadedConfig& loaded, const std::string& key) {
    const auto found = std::ranges::find(loaded.settings, key, &SettingOrigin::key);
    return found == loaded.settings.end() ? SettingOrigin{} : *found;
  }

  std::string path_ = (std::filesystem::temp_directory_path() /
                       ("spillway-config-" + std::to_string(getpid()) + ".toml"))
                          .string();

 private:
  static void forget_variables() {
    std::vector<std::string> names{"ENVIRONMENT"};
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string text{*entry};
      if (text.starts_with("SPILLWAY_")) names.push_back(text.substr(0, text.find('=')));
    }
    for (const std::string& name : names)
      forget(name);
  }
};

TEST_F(ConfigLoad, IsThePresetWhenNothingSaysOtherwise) {
  const LoadedConfig loaded = load_config("");

  EXPECT_EQ(loaded.config.environment, Environment::development);
  EXPECT_EQ(loaded.config.lanes.failover_after, 75ms);
  for (const SettingOrigin& setting : loaded.settings) {
    EXPECT_EQ(setting.origin, "preset") << setting.key;
  }
}

TEST_F(ConfigLoad, ReadsEveryKindFromAFile) {
  const Config config = load(R"(
close_within = "10m"
log_level = "warning"
[journal]
path = "/dev/shm/orders.journal"
size_bytes = "1GiB"
record_bytes_max = 4096
[lanes]
count = 2
cpus = [2, 3]
failover_after = 250
park_max = "500us"
[relay]
enabled = false
)")
                            .config;

  EXPECT_EQ(config.close_within, 10min);
  EXPECT_EQ(config.log_level, LogLevel::warning);
  EXPECT_EQ(config.journal.path, "/dev/shm/orders.journal");
  EXPECT_EQ(config.journal.size_bytes, std::size_t{1} << 30);
  EXPECT_EQ(config.journal.record_bytes_max, 4096U);
  EXPECT_EQ(config.lanes.count, 2U);
  EXPECT_EQ(config.lanes.cpus, (std::vector{2U, 3U}));
  EXPECT_EQ(config.lanes.failover_after, 250ms);
  EXPECT_EQ(config.lanes.park_max, 500us);
  EXPECT_FALSE(config.relay.enabled);
}

TEST_F(ConfigLoad, PassesThroughWhatIsUnderKafkaAndNotOurs) {
  const LoadedConfig loaded = load(R"(
[kafka]
bootstrap_servers = "kafka-1:9092"
linger.ms = 0.5
"socket.keepalive.enable" = true
[kafka.properties]
"sasl.password" = "secret"
)");

  using Properties = std::map<std::string, std::string>;
  EXPECT_EQ(loaded.config.kafka.properties, (Properties{{"linger.ms", "0.5"},
                                                        {"sasl.password", "secret"},
                                                        {"socket.keepalive.enable", "true"}}));
  EXPECT_EQ(row(loaded, "kafka.linger.ms").origin, path_ + ":4");
  EXPECT_EQ(row(loaded, "kafka.sasl.password").value, "(hidden)");
}

TEST_F(ConfigLoad, LetsTheLaterSourceHaveIt) {
  set("SPILLWAY_LANES_COUNT", "3");
  set("SPILLWAY_LANES_FAILOVER_AFTER", "300ms");

  const LoadedConfig loaded =
      load("[lanes]\ncount = 2\nwindow_records = 500", {{"lanes.failover_after", "400ms"}});

  EXPECT_EQ(loaded.config.lanes.window_records, 500U);
  EXPECT_EQ(row(loaded, "lanes.window_records").origin, path_ + ":3");
  EXPECT_EQ(loaded.config.lanes.count, 3U);
  EXPECT_EQ(row(loaded, "lanes.count").origin, "SPILLWAY_LANES_COUNT");
  EXPECT_EQ(loaded.config.lanes.failover_after, 400ms);
  EXPECT_EQ(row(loaded, "lanes.failover_after").origin, "flag");
  EXPECT_EQ(row(loaded, "lanes.park_max").origin, "preset");
}

TEST_F(ConfigLoad, TakesTheShortVariablesThatTheStackExports) {
  set("SPILLWAY_KAFKA", "127.0.0.1:9092");
  set("SPILLWAY_POSTGRES", "host=127.0.0.1 password=secret dbname=spillway");
  set("SPILLWAY_REDIS", "redis://:secret@127.0.0.1:6379");

  const LoadedConfig loaded = load_config("");

  EXPECT_EQ(loaded.config.kafka.bootstrap_servers, "127.0.0.1:9092");
  EXPECT_EQ(loaded.config.postgres.conninfo, "host=127.0.0.1 password=secret dbname=spillway");
  EXPECT_EQ(row(loaded, "postgres.conninfo").value,
            "host=127.0.0.1 password=(hidden) dbname=spillway");
  EXPECT_EQ(row(loaded, "redis.url").value, "redis://:(hidden)@127.0.0.1:6379");
  EXPECT_EQ(row(loaded, "redis.url").origin, "SPILLWAY_REDIS");
}

TEST_F(ConfigLoad, RefusesTwoVariablesOfOneSettingThatDiffer) {
  set("SPILLWAY_KAFKA", "a:9092");
  set("SPILLWAY_KAFKA_BOOTSTRAP_SERVERS", "a:9092");
  EXPECT_EQ(load_config("").config.kafka.bootstrap_servers, "a:9092");

  set("SPILLWAY_KAFKA_BOOTSTRAP_SERVERS", "b:9092");
  EXPECT_THROW((void)load_config(""), ConfigError);
}

struct EnvironmentRow {
  const char* in_file;
  const char* environment;
  const char* spillway_environment;
  const char* flag;
  Environment chosen;
  const char* origin;
};

TEST_F(ConfigLoad, ChoosesThePresetByFlagThenVariableThenFile) {
  using enum Environment;
  const std::vector<EnvironmentRow> rows{
      {"", "staging", "", "", staging, "ENVIRONMENT"},
      {"production", "", "", "", production, "FILE"},
      {"production", "staging", "", "", staging, "ENVIRONMENT"},
      {"production", "staging", "development", "", development, "SPILLWAY_ENVIRONMENT"},
      {"production", "nonsense", "staging", "", staging, "SPILLWAY_ENVIRONMENT"},
      {"", "staging", "staging", "production", production, "flag"},
  };
  for (const EnvironmentRow& one : rows) {
    set("ENVIRONMENT", one.environment);
    forget("SPILLWAY_ENVIRONMENT");
    if (*one.spillway_environment != '\0') set("SPILLWAY_ENVIRONMENT", one.spillway_environment);
    const std::string in_file{one.in_file};
    const std::string flag{one.flag};
    std::map<std::string, std::string> flags;
    if (!flag.empty()) flags.emplace("environment", flag);

    const LoadedConfig loaded =
        load(in_file.empty() ? "" : "environment = \"" + in_file + "\"", flags);

    EXPECT_EQ(loaded.config.environment, one.chosen);
    EXPECT_EQ(loaded.config.relay.poll_start, preset(one.chosen).relay.poll_start);
    const std::string origin = row(loaded, "environment").origin;
    EXPECT_EQ(origin == path_ + ":1" ? "FILE" : origin, one.origin);
  }
}

TEST_F(ConfigLoad, TakesThePresetThatTheCallNames) {
  set("ENVIRONMENT", "staging");

  EXPECT_EQ(load_config("", {}, Environment::production).config.relay.poll_start, 5s);
}

TEST_F(ConfigLoad, NamesTheNearestKeyOfAnUnknownOne) {
  EXPECT_EQ(
      faults_of("[lanes]\nfailover_aftr = 75\n[lane]\ncount = 1\n[kafka]\nbootstrap_server = "
                "\"a:1\""),
      (Faults{"app.toml:2: lanes.failover_aftr is no setting; did you mean lanes.failover_after?",
              "app.toml:4: lane.count is no setting; did you mean lanes.count?",
              "app.toml:6: kafka.bootstrap_server is no setting; did you mean "
              "kafka.bootstrap_servers?"}));
}

TEST_F(ConfigLoad, NamesTheNearestVariableOfAnUnknownOne) {
  set("SPILLWAY_LANES_CUONT", "1");

  EXPECT_EQ(faults_of(""),
            (Faults{"SPILLWAY_LANES_CUONT is the variable of no setting; unset it; did you mean "
                    "SPILLWAY_LANES_COUNT?"}));
}

TEST_F(ConfigLoad, LeavesVariablesOfToolsAndOfKubernetesAlone) {
  set("SPILLWAY_STACK", "tools/stack");
  set("SPILLWAY_STACK_KAFKA_PORT", "25850");
  set("SPILLWAY_KAFKA_SERVICE_HOST", "10.0.0.1");
  set("SPILLWAY_RELAY_PORT_9090_TCP_ADDR", "10.0.0.1");
  set("SPILLWAY_PORT", "tcp://10.0.0.1:80");

  EXPECT_EQ(faults_of(""), Faults{});
}

TEST_F(ConfigLoad, SaysWhatAnIllTypedValueMustBe) {
  EXPECT_EQ(
      faults_of(R"([lanes]
count = "two"
failover_after = "75 msec"
cpus = [1, "x"]
[relay]
enabled = 1
[postgres]
conninfo = 5432
)"),
      (Faults{
          "app.toml:2: lanes.count is two; it must be a whole number",
          R"(app.toml:3: lanes.failover_after is 75 msec; it must be a duration such as "75ms" or "1s", or whole milliseconds)",
          "app.toml:4: lanes.cpus is another kind of value; it must be a list such as [2, 3]",
          "app.toml:6: relay.enabled is 1; it must be true or false",
          "app.toml:8: postgres.conninfo is another kind of value; it must be a text"}));
}

TEST_F(ConfigLoad, SaysWhereAValueOutOfBoundsCameFrom) {
  set("SPILLWAY_LANES_COUNT", "65");

  EXPECT_EQ(faults_of("\n[lanes]\nfailover_after = \"1ms\""),
            (Faults{"SPILLWAY_LANES_COUNT: lanes.count is 65; it may be 0 to 64; leave it out for "
                    "one for each two CPUs, 1 to 4",
                    "app.toml:3: lanes.failover_after is 1ms; it may be 5ms to 60s; leave it out "
                    "for 75ms"}));
}

TEST_F(ConfigLoad, SaysWhereAFileIsNotToml) {
  const Faults faults = faults_of("[lanes]\ncount = = 2\n");

  ASSERT_EQ(faults.size(), 1U);
  EXPECT_TRUE(faults.front().starts_with("app.toml:2: this is not TOML: ")) << faults.front();
}

TEST_F(ConfigLoad, SaysWhichFileCannotBeRead) {
  try {
    (void)load_config("/nowhere/app.toml");
    FAIL() << "it was read";
  } catch (const StartError& error) {
    EXPECT_EQ(std::string{error.what()},
              "cannot read the configuration /nowhere/app.toml: No such file or directory; name a "
              "file that this user may read");
  }
  EXPECT_THROW((void)load_config("/tmp"), StartError);
}

}  // namespace
}  // namespace spillway
