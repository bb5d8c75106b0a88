// perf/common/run_database.hpp: a database of one run's own, with Spillway's schema; gone with it.
//
// So the server's counters of a database are those of the run, and what a crashed run has left is
// in nobody's way.

#pragma once

#include <string>

#include "perf/common/sql.hpp"
#include "spillway/config.hpp"

namespace spillway::perf {

class RunDatabase {
 public:
  /// On the server of `postgres.conninfo`. @throws program::CommandError, StartError
  explicit RunDatabase(const Config& config);
  RunDatabase(const RunDatabase&) = delete;
  RunDatabase& operator=(const RunDatabase&) = delete;
  /// Ends what is still connected to it. Says so on standard error when it could not be dropped.
  ~RunDatabase();

  /// `config`, on this database, with a list of wakeup tokens of its own.
  [[nodiscard]] Config on_it(Config config) const;
  [[nodiscard]] const std::string& conninfo() const noexcept { return conninfo_; }
  [[nodiscard]] SqlSession session() const { return SqlSession{conninfo_}; }

 private:
  std::string server_;  // keywords and values, so that more can be appended
  std::string name_;
  std::string conninfo_;
};

}  // namespace spillway::perf
