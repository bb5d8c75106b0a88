// tests/unit/core/settings_test.cpp: how settings are written, printed, hidden, and found when
// misspelt.

#include "core/settings.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "core/nearest.hpp"
#include "core/secrets.hpp"
#include "core/setting_values.hpp"

namespace spillway::core {
namespace {

using namespace std::chrono_literals;

TEST(Settings, ReadBackWhatTheyPrint) {
  for (const Environment environment : {Environment::development, Environment::production}) {
    const Config config = preset(environment);
    for (const Setting& setting : settings()) {
      const std::string text = shown_value(setting, config);
      Config copy;

      ASSERT_TRUE(assign(setting, Untyped{text}, copy)) << setting.key << " = " << text;
      EXPECT_EQ(shown_value(setting, copy), text) << setting.key;
    }
  }
}

TEST(Settings, AreFoundByTheirKeyOnly) {
  ASSERT_NE(find_setting("lanes.count"), nullptr);
  EXPECT_EQ(find_setting("lanes.count")->key, "lanes.count");
  EXPECT_EQ(find_setting("lanes"), nullptr);
  EXPECT_EQ(find_setting("LANES.COUNT"), nullptr);
  EXPECT_EQ(find_setting(""), nullptr);
}

TEST(Settings, PassOnWhatIsUnderKafkaAndNotOurs) {
  EXPECT_EQ(passthrough_property("kafka.linger.ms"), "linger.ms");
  EXPECT_EQ(passthrough_property("kafka.properties.ssl_key"), "ssl_key");
  EXPECT_EQ(passthrough_property("kafka.acks"), "acks");
  EXPECT_FALSE(passthrough_property("kafka.topic_within"));
  EXPECT_FALSE(passthrough_property("kafka.bootstrap_server")) << "misspelt, not librdkafka's";
  EXPECT_FALSE(passthrough_property("kafka."));
  EXPECT_FALSE(passthrough_property("lanes.linger.ms"));
}

TEST(Settings, KeepATypedTextFromBeingANumber) {
  const Setting& count = *find_setting("lanes.count");
  Config config;

  EXPECT_FALSE(assign(count, std::string{"2"}, config));
  EXPECT_TRUE(assign(count, Untyped{"2"}, config));
  EXPECT_TRUE(assign(count, std::int64_t{3}, config));
  EXPECT_FALSE(assign(count, std::int64_t{-1}, config));
  EXPECT_FALSE(assign(count, 1.5, config));
  EXPECT_FALSE(assign(count, std::monostate{}, config));
  EXPECT_EQ(config.lanes.count, 3U) << "a refused value changes nothing";
}

TEST(Settings, RefuseAFinerDurationThanTheFieldKeeps) {
  Config config;

  EXPECT_FALSE(assign(*find_setting("lanes.failover_after"), std::string{"500us"}, config));
  EXPECT_TRUE(assign(*find_setting("lanes.park_max"), std::string{"500us"}, config));
  EXPECT_EQ(config.lanes.park_max, 500us);
}

struct DurationRow {
  const char* text = "";
  std::optional<std::chrono::microseconds> value;
};
constexpr std::array durations{
    DurationRow{"75ms", 75ms},
    DurationRow{"1s", 1s},
    DurationRow{"500us", 500us},
    DurationRow{"10m", 10min},
    DurationRow{"1h", 1h},
    DurationRow{"75", 75ms},
    DurationRow{"0", 0us},
    DurationRow{"2 s", 2s},
    DurationRow{"", std::nullopt},
    DurationRow{"ms", std::nullopt},
    DurationRow{"-1s", std::nullopt},
    DurationRow{"1.5s", std::nullopt},
    DurationRow{"1S", std::nullopt},
    DurationRow{"9223372036854775807h", std::nullopt},
};

TEST(Durations, AreANumberAndAUnit) {
  for (const DurationRow& row : durations)
    EXPECT_EQ(parse_duration(row.text), row.value) << row.text;
}

struct SizeRow {
  const char* text = "";
  std::optional<std::int64_t> value;
};
constexpr std::array sizes{
    SizeRow{"64MiB", std::int64_t{64} << 20},
    SizeRow{"1GiB", std::int64_t{1} << 30},
    SizeRow{"512KiB", 512 << 10},
    SizeRow{"4096", 4096},
    SizeRow{"64MB", std::nullopt},
    SizeRow{"64Mi", std::nullopt},
    SizeRow{"-1", std::nullopt},
    SizeRow{"99999999999GiB", std::nullopt},
};

TEST(Sizes, AreANumberAndABinaryUnit) {
  for (const SizeRow& row : sizes)
    EXPECT_EQ(parse_size(row.text), row.value) << row.text;
}

TEST(Lists, AreNumbersBetweenCommas) {
  EXPECT_EQ(parse_list("2,3"), (std::vector{2U, 3U}));
  EXPECT_EQ(parse_list("[2, 3]"), (std::vector{2U, 3U}));  // as a TOML file has it
  EXPECT_EQ(parse_list(""), std::vector<unsigned>{});
  EXPECT_FALSE(parse_list("2,"));
  EXPECT_FALSE(parse_list("2;3"));
  EXPECT_FALSE(parse_list("[2, 3"));
  EXPECT_FALSE(parse_list("-2"));
}

TEST(Nearest, FindsWhatWasMeant) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_NE(key_hint("lanes.failover_aftr").find("lanes.failover_after"), std::string::npos);
  EXPECT_NE(key_hint("lane.count").find("lanes.count"), std::string::npos);
  EXPECT_NE(key_hint("kafka.bootstrap_server").find("kafka.bootstrap_servers"), std::string::npos);
  EXPECT_EQ(key_hint("colour_of_the_bikeshed").find("did you mean"), std::string::npos);
}

struct SecretRow {
  const char* conninfo;
  const char* shown;
};
constexpr std::array conninfos{
    SecretRow{"host=db user=app", "host=db user=app"},
    SecretRow{"host=db password=secret user=app", "host=db password=(hidden) user=app"},
    SecretRow{"password = 'se cret' user=app", "password=(hidden) user=app"},
    SecretRow{R"(password='it\'s secret' user=app)", "password=(hidden) user=app"},
    SecretRow{R"(password=se\ cret user=app)", "password=(hidden) user=app"},
    SecretRow{"sslpassword=secret", "sslpassword=(hidden)"},
    SecretRow{"password='secret", "(hidden)"},
    SecretRow{"secret", "(hidden)"},
    SecretRow{"host=db =secret", "(hidden)"},
    SecretRow{"options='-c a=://b' password=secret", "options='-c a=://b' password=(hidden)"},
    SecretRow{"postgresql://app:secret@db:5432/outbox", "postgresql://app:(hidden)@db:5432/outbox"},
    SecretRow{"postgresql://app:se@c/r:et@db/outbox", "postgresql://app:(hidden)@db/outbox"},
    SecretRow{"postgresql://db/outbox?user=app&password=secret&sslmode=require",
              "postgresql://db/outbox?user=app&password=(hidden)&sslmode=require"},
    SecretRow{"", ""},
};

TEST(Secrets, AreHiddenHoweverAConninfoIsWritten) {
  for (const SecretRow& row : conninfos) {
    EXPECT_EQ(hide_conninfo_secrets(row.conninfo), row.shown) << row.conninfo;
  }
}

TEST(Secrets, AreHiddenInUrlsAndProperties) {
  EXPECT_EQ(hide_url_secrets("redis://:secret@cache:6379/1"), "redis://:(hidden)@cache:6379/1");
  EXPECT_EQ(hide_url_secrets("redis://cache:6379"), "redis://cache:6379");
  EXPECT_EQ(hide_url_secrets("unix:///run/redis.sock"), "unix:///run/redis.sock");
  EXPECT_TRUE(is_secret_property("sasl.password"));
  EXPECT_TRUE(is_secret_property("ssl.key.password"));
  EXPECT_TRUE(is_secret_property("ssl.key.pem"));
  EXPECT_FALSE(is_secret_property("sasl.username"));
}

}  // namespace
}  // namespace spillway::core
