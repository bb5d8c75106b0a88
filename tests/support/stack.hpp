// tests/support/stack.hpp: the real servers for a test, and what may happen to them.
//
// tools/stack does it; SPILLWAY_STACK names it. A fault is a scope: what it kills or stops runs
// again when the scope ends.

#pragma once

#include <cstddef>
#include <string>

#include <sys/types.h>

namespace spillway::test {

enum class Server { kafka, postgres, redis };

/// As tools/stack and its proxies name it.
[[nodiscard]] inline std::string name_of(Server server) {
  switch (server) {
    case Server::kafka:
      return "kafka";
    case Server::postgres:
      return "postgres";
    case Server::redis:
      return "redis";
  }
  return {};
}

class Stack {
 public:
  /// @throws std::runtime_error unless all three servers answer: a missing server fails a test
  Stack();

  void kill(Server server) const;     ///< SIGKILL to all its processes. @blocks until they are gone
  void restart(Server server) const;  ///< In good order. @blocks until it answers
  void start(Server server) const;    ///< @blocks until it answers
  void pause(Server server) const;    ///< SIGSTOP: connections stay open, nothing answers
  void resume(Server server) const;   ///< SIGCONT
  /// What it writes beyond so many bytes of any one file fails from now on, as on a full disk
  /// (RLIMIT_FSIZE; EFBIG where that says ENOSPC). Until it is started again.
  void limit_files(Server server, std::size_t bytes) const;
  [[nodiscard]] bool runs(Server server) const;
  /// Resumes and starts whatever a test left stopped. @blocks until all answer
  void restore() const;

 private:
  [[nodiscard]] pid_t pid(Server server) const;

  std::string script_;
};

/// From here to the end of the scope the server is dead.
class [[nodiscard]] Killed {
 public:
  Killed(const Stack& stack, Server server);
  Killed(const Killed&) = delete;
  Killed& operator=(const Killed&) = delete;
  /// @blocks until it answers again
  ~Killed();

 private:
  const Stack& stack_;
  Server server_;
};

/// From here to the end of the scope the server hangs.
class [[nodiscard]] Paused {
 public:
  Paused(const Stack& stack, Server server);
  Paused(const Paused&) = delete;
  Paused& operator=(const Paused&) = delete;
  ~Paused();

 private:
  const Stack& stack_;
  Server server_;
};

}  // namespace spillway::test
