#include "perf/common/sql.hpp"

#include "tools/spillway/command.hpp"

namespace spillway::perf {
namespace {

constexpr int binary = 1;

}  // namespace

SqlSession::SqlSession(const std::string& conninfo) : connection_{PQconnectdb(conninfo.c_str())} {
  if (PQstatus(connection_.get()) != CONNECTION_OK) fail("postgres");
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
}

void SqlSession::fail(std::string_view what) const {
  throw program::CommandError{program::ExitCode::unusable,
                              std::string{what} + ": " + PQerrorMessage(connection_.get())};
}

void SqlSession::require(const PGresult* result, std::string_view what) const {
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return;
  fail(what);
}

SqlResult SqlSession::run(const std::string& sql) {
  SqlResult result{PQexec(connection_.get(), sql.c_str())};
  require(result.get(), sql);
  return result;
}

std::string SqlSession::text(const std::string& sql) {
  const SqlResult result = run(sql);
  if (PQntuples(result.get()) == 0) fail(sql + " gave no row");
  return PQgetvalue(result.get(), 0, 0);
}

std::int64_t SqlSession::number(const std::string& sql) {
  return std::stoll(text(sql));
}

void SqlSession::prepare(const char* name, const std::string& sql) {
  const SqlResult result{PQprepare(connection_.get(), name, sql.c_str(), 0, nullptr)};
  require(result.get(), sql);
}

SqlResult SqlSession::execute(const char* name, std::span<const std::string_view> parameters) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  const std::vector<int> formats(parameters.size(), binary);
  for (const std::string_view parameter : parameters) {
    values.push_back(parameter.data());
    lengths.push_back(static_cast<int>(parameter.size()));
  }
  SqlResult result{PQexecPrepared(connection_.get(), name, static_cast<int>(parameters.size()),
                                  values.data(), lengths.data(), formats.data(), binary)};
  require(result.get(), name);
  return result;
}

void SqlSession::copy(const std::string& sql, std::span<const std::byte> data) {
  const SqlResult begun{PQexec(connection_.get(), sql.c_str())};
  if (PQresultStatus(begun.get()) != PGRES_COPY_IN) fail(sql);
  // Text and bytes are the same to libpq.
  const auto* const bytes = reinterpret_cast<const char*>(data.data());
  const bool is_sent =
      PQputCopyData(connection_.get(), bytes, static_cast<int>(data.size())) == 1 &&
      PQputCopyEnd(connection_.get(), nullptr) == 1;
  if (!is_sent) fail(sql);
  require_end(sql);
}

// COPY is answered by a result, and then by none.
void SqlSession::require_end(std::string_view what) {
  while (const SqlResult result{PQgetResult(connection_.get())})
    require(result.get(), what);
}

}  // namespace spillway::perf
