#include "adapters/postgres/conninfo.hpp"

#include <array>
#include <cstdlib>
#include <string_view>

#include "spillway/error.hpp"

namespace spillway::postgres {
namespace {

struct Default {
  const char* keyword;
  const char* value;
};

// Before the user's string, so that the user's own settings win.
constexpr std::array defaults{
    Default{"tcp_user_timeout", "2000"}, Default{"keepalives", "1"},
    Default{"keepalives_idle", "2"},     Default{"keepalives_interval", "1"},
    Default{"keepalives_count", "3"},
};

std::string or_default(const char* value, const char* variable, std::string_view otherwise) {
  if (value != nullptr && *value != '\0') return value;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): libpq reads the same variable the same way.
  const char* from_environment = std::getenv(variable);
  if (from_environment != nullptr && *from_environment != '\0') return from_environment;
  return std::string{otherwise};
}

std::string server_of(const PQconninfoOption* options) {
  const char* host = nullptr;
  const char* address = nullptr;
  const char* port = nullptr;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    const std::string_view keyword = option->keyword;
    if (keyword == "host") host = option->val;
    if (keyword == "hostaddr") address = option->val;
    if (keyword == "port") port = option->val;
  }
  const bool has_host = host != nullptr && *host != '\0';
  return or_default(has_host ? host : address, "PGHOST", "local socket") + ":" +
         or_default(port, "PGPORT", "5432");
}

}  // namespace

ConnectParameters connect_parameters(const std::string& conninfo, const std::string& password,
                                     const std::string& application_name) {
  char* raw_error = nullptr;
  const ConninfoOptions options{PQconninfoParse(conninfo.c_str(), &raw_error)};
  PQfreemem(raw_error);  // Not shown: it quotes what it could not read.
  if (!options) {
    throw StartError{
        "postgres.conninfo is not a libpq connection string; "
        "write host=... dbname=... user=..., or postgresql://user@host/dbname"};
  }
  ConnectParameters parameters{.pairs = {}, .server = server_of(options.get())};
  for (const Default& setting : defaults) {
    parameters.pairs.emplace_back(setting.keyword, setting.value);
  }
  parameters.pairs.emplace_back("fallback_application_name", application_name);
  parameters.pairs.emplace_back("dbname", conninfo);
  parameters.pairs.emplace_back("client_encoding", "UTF8");
  if (!password.empty()) parameters.pairs.emplace_back("password", password);
  return parameters;
}

Connection start_connection(const ConnectParameters& parameters) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : parameters.pairs) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  return Connection{PQconnectStartParams(keywords.data(), values.data(), 1)};
}

}  // namespace spillway::postgres
