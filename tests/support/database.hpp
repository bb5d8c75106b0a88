// tests/support/database.hpp: a database of a test's own, on the server that SPILLWAY_POSTGRES
// names.

#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <libpq-fe.h>

namespace spillway::testing {

/// A blocking session; each failure is an exception, and so fails the test.
class SqlSession {
 public:
  explicit SqlSession(const std::string& conninfo)
      : connection_{PQconnectdb(conninfo.c_str()), PQfinish} {
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
      throw std::runtime_error{PQerrorMessage(connection_.get())};
    }
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr);
  }

  /// The rows of the last statement; null reads "(null)".
  std::vector<std::vector<std::string>> rows(const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result{
        PQexec(connection_.get(), sql.c_str()), PQclear};
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      throw std::runtime_error{sql + ": " + PQresultErrorMessage(result.get())};
    }
    std::vector<std::vector<std::string>> rows;
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      std::vector<std::string>& cells = rows.emplace_back();
      for (int column = 0; column < PQnfields(result.get()); ++column) {
        cells.emplace_back(PQgetisnull(result.get(), row, column) == 1
                               ? "(null)"
                               : PQgetvalue(result.get(), row, column));
      }
    }
    return rows;
  }
  void run(const std::string& sql) { rows(sql); }
  /// The first cell; "" without rows.
  std::string value(const std::string& sql) {
    const auto all = rows(sql);
    return all.empty() ? "" : all.front().front();
  }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

/// Made empty, dropped with everything that is still connected to it.
class TestDatabase {
 public:
  TestDatabase() : server_{server_conninfo()}, name_{random_name()} {
    SqlSession{server_}.run("CREATE DATABASE " + name_);
  }
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;
  ~TestDatabase() {
    try {
      SqlSession{server_}.run("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
  }

  /// With `more` settings, which win.
  [[nodiscard]] std::string conninfo(std::string_view more = {}) const {
    return server_ + " dbname=" + name_ + " " + std::string{more};
  }
  [[nodiscard]] SqlSession session() const { return SqlSession{conninfo()}; }

 private:
  // Keywords and values, also when the variable holds a URI, so that more can be appended.
  static std::string server_conninfo() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no test changes its environment.
    const char* given = std::getenv("SPILLWAY_POSTGRES");
    if (given == nullptr) {
      throw std::runtime_error{
          "SPILLWAY_POSTGRES is not set: tools/stack up; eval \"$(tools/stack env)\""};
    }
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
        PQconninfoParse(given, nullptr), PQconninfoFree};
    if (!options) throw std::runtime_error{"SPILLWAY_POSTGRES is not a connection string"};
    std::string text;
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
      if (option->val == nullptr) continue;
      text += std::string{option->keyword} + "='";
      for (const char* at = option->val; *at != '\0'; ++at) {
        if (*at == '\'' || *at == '\\') text += '\\';
        text += *at;
      }
      text += "' ";
    }
    return text;
  }

  static std::string random_name() {
    std::random_device device;
    return "spillway_test_" + std::to_string((std::uint64_t{device()} << 32U) | device());
  }

  std::string server_;
  std::string name_;
};

}  // namespace spillway::testing
