#include "perf/common/run_database.hpp"

#include <exception>
#include <memory>
#include <utility>

#include <unistd.h>

#include "perf/common/report_lines.hpp"
#include "spillway/outbox.hpp"
#include "tools/spillway/command.hpp"

namespace spillway::perf {
namespace {

std::string quoted(const char* value) {
  std::string text = "'";
  for (const char* at = value; *at != '\0'; ++at) {
    if (*at == '\'' || *at == '\\') text += '\\';
    text += *at;
  }
  return text + "'";
}

std::string keywords_of(const std::string& conninfo) {
  const std::unique_ptr<PQconninfoOption, PostgresReleasedBy<PQconninfoFree>> options{
      PQconninfoParse(conninfo.c_str(), nullptr)};
  if (!options) {
    throw program::CommandError{program::ExitCode::usage,
                                "postgres.conninfo is not a connection string"};
  }
  std::string text;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr)
      text += std::string{option->keyword} + "=" + quoted(option->val) + " ";
  }
  return text;
}

}  // namespace

RunDatabase::RunDatabase(const Config& config)
    : server_{keywords_of(config.postgres.conninfo)},
      name_{"spillway_perf_" + std::to_string(::getpid())},
      conninfo_{server_ + "dbname=" + name_} {
  SqlSession server{server_};
  server.run("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
  server.run("CREATE DATABASE " + name_);
  Outbox::open(on_it(config)).apply_schema();
}

RunDatabase::~RunDatabase() {
  try {
    SqlSession{server_}.run("DROP DATABASE " + name_ + " WITH (FORCE)");
  } catch (const std::exception& error) {
    note(error.what());
  }
}

Config RunDatabase::on_it(Config config) const {
  config.postgres.conninfo = conninfo_;
  config.redis.list = name_ + ":wakeup";
  return config;
}

}  // namespace spillway::perf
