// tests/unit/adapters/conninfo_test.cpp: what Spillway adds to a connection string, and what it
// tells of it.

#include "adapters/postgres/conninfo.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "spillway/error.hpp"

namespace spillway::postgres {
namespace {

std::ptrdiff_t place_of(const ConnectParameters& parameters, std::string_view keyword) {
  const auto found = std::ranges::find_if(parameters.pairs,
                                          [&](const auto& pair) { return pair.first == keyword; });
  return found == parameters.pairs.end() ? -1 : found - parameters.pairs.begin();
}

TEST(Conninfo, LetsTheUserOverrideTheDefaultsButNotTheEncoding) {
  const ConnectParameters parameters =
      connect_parameters("host=db tcp_user_timeout=9", "", "spillway-writer");

  const std::ptrdiff_t users = place_of(parameters, "dbname");
  EXPECT_LT(place_of(parameters, "tcp_user_timeout"), users);
  EXPECT_LT(place_of(parameters, "keepalives_idle"), users);
  EXPECT_LT(place_of(parameters, "fallback_application_name"), users);
  EXPECT_GT(place_of(parameters, "client_encoding"), users);
  EXPECT_EQ(place_of(parameters, "password"), -1);
}

TEST(Conninfo, PrefersThePasswordOfTheFile) {
  const ConnectParameters parameters = connect_parameters("host=db password=old", "new", "x");

  EXPECT_GT(place_of(parameters, "password"), place_of(parameters, "dbname"));
}

struct Named {
  const char* name;
  const char* conninfo;
  const char* server;
};
class ConninfoServer : public testing::TestWithParam<Named> {};

TEST_P(ConninfoServer, IsNamedWithoutSecrets) {
  EXPECT_EQ(connect_parameters(GetParam().conninfo, "", "x").server, GetParam().server);
}
INSTANTIATE_TEST_SUITE_P(
    Conninfo, ConninfoServer,
    testing::Values(Named{"HostAndPort", "host=db port=6000 password=hunter2", "db:6000"},
                    Named{"Address", "hostaddr=10.0.0.1 port=6000", "10.0.0.1:6000"},
                    Named{"NameBeforeAddress", "host=db hostaddr=10.0.0.1 port=1", "db:1"},
                    Named{"Uri", "postgresql://me:hunter2@db:6000/x", "db:6000"},
                    Named{"SeveralHosts", "host=a,b port=1,2", "a,b:1,2"},
                    Named{"Socket", "host=/run/postgresql port=5432", "/run/postgresql:5432"}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(Conninfo, RefusesWhatCannotBeReadWithoutQuotingIt) {
  try {
    [[maybe_unused]] const auto read = connect_parameters("host=db password hunter2", "", "x");
    FAIL() << "it is malformed";
  } catch (const StartError& error) {
    const std::string_view what = error.what();
    EXPECT_NE(what.find("postgres.conninfo"), std::string_view::npos);
    EXPECT_EQ(what.find("hunter2"), std::string_view::npos);
  }
}

}  // namespace
}  // namespace spillway::postgres
