// tests/unit/adapters/redis_url_test.cpp: what a Redis URL means, and which are refused.

#include "adapters/redis/redis_url.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace spillway::redis {
namespace {

struct Readable {
  const char* name;
  const char* url;
  RedisAddress means;
};

const std::array readable{
    Readable{"HostAlone", "redis://cache", {.host = "cache"}},
    Readable{"HostAndPort", "redis://cache:7000", {.host = "cache", .port = 7000}},
    Readable{"TrailingSlash", "redis://cache/", {.host = "cache"}},
    Readable{"Database", "redis://cache/3", {.host = "cache", .database = 3}},
    Readable{"PasswordAlone", "redis://:secret@cache", {.host = "cache", .password = "secret"}},
    Readable{"UserAndPassword",
             "redis://me:secret@cache:7000/1",
             {.host = "cache", .port = 7000, .user = "me", .password = "secret", .database = 1}},
    Readable{"EncodedPassword",
             "redis://me:a%40b%3a%2Fc@cache",
             {.host = "cache", .user = "me", .password = "a@b:/c"}},
    Readable{"AtSignInPassword",
             "redis://me:a@b@cache",
             {.host = "cache", .user = "me", .password = "a@b"}},
    Readable{"V6Address", "redis://[::1]:7000", {.host = "::1", .port = 7000}},
    Readable{"V6AddressAlone", "redis://[::1]", {.host = "::1"}},
    Readable{"Socket", "unix:///run/redis.sock", {.unix_path = "/run/redis.sock"}},
    Readable{"EncodedSocket", "unix:///run/a%20b", {.unix_path = "/run/a b"}},
};
class RedisUrlReadable : public testing::TestWithParam<Readable> {};

TEST_P(RedisUrlReadable, Means) {
  const ParsedRedisUrl parsed = parse_redis_url(GetParam().url);

  ASSERT_TRUE(parsed.address) << parsed.problem;
  const RedisAddress address = parsed.address.value_or(RedisAddress{});
  EXPECT_EQ(address.host, GetParam().means.host);
  EXPECT_EQ(address.port, GetParam().means.port);
  EXPECT_EQ(address.unix_path, GetParam().means.unix_path);
  EXPECT_EQ(address.user, GetParam().means.user);
  EXPECT_EQ(address.password, GetParam().means.password);
  EXPECT_EQ(address.database, GetParam().means.database);
}
INSTANTIATE_TEST_SUITE_P(RedisUrl, RedisUrlReadable, testing::ValuesIn(readable),
                         [](const auto& row) { return std::string{row.param.name}; });

struct Refused {
  const char* name;
  const char* url;
  const char* why;
};

const std::array refused{
    Refused{"Tls", "rediss://:secret@cache", "TLS"},
    Refused{"OtherScheme", "http://secret", "redis://"},
    Refused{"Empty", "", "redis://"},
    Refused{"NoHost", "redis://:secret@", "host"},
    Refused{"EmptyPort", "redis://cache:", "port"},
    Refused{"PortZero", "redis://cache:0", "port"},
    Refused{"PortTooLarge", "redis://cache:65536", "port"},
    Refused{"PortWithSecret", "redis://cache:secret", "port"},
    Refused{"OpenBracket", "redis://[::1", "host"},
    Refused{"AfterBracket", "redis://[::1]secret", "host"},
    Refused{"NamedDatabase", "redis://cache/secret", "database"},
    Refused{"CutEscape", "redis://:secret%4@cache", "%"},
    Refused{"BadEscape", "redis://:secret%zz@cache", "%"},
    Refused{"RelativeSocket", "unix://secret", "absolute"},
};
class RedisUrlRefused : public testing::TestWithParam<Refused> {};

TEST_P(RedisUrlRefused, SaysWhyWithoutQuotingIt) {
  const ParsedRedisUrl parsed = parse_redis_url(GetParam().url);

  EXPECT_FALSE(parsed.address);
  EXPECT_NE(parsed.problem.find(GetParam().why), std::string::npos) << parsed.problem;
  EXPECT_EQ(parsed.problem.find("secret"), std::string::npos) << parsed.problem;
}
INSTANTIATE_TEST_SUITE_P(RedisUrl, RedisUrlRefused, testing::ValuesIn(refused),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(RedisUrl, NamesTheServerWithoutSecrets) {
  const RedisAddress tcp{.host = "cache", .port = 7000, .user = "me", .password = "secret"};
  const RedisAddress local{.unix_path = "/run/r.sock"};

  EXPECT_EQ(tcp.server(), "cache:7000");
  EXPECT_EQ(local.server(), "/run/r.sock");
}

}  // namespace
}  // namespace spillway::redis
