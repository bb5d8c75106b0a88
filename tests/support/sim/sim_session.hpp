// tests/support/sim/sim_session.hpp: a client's session with the simulated Postgres, and its
// accidents.

#pragma once

#include <cstdint>
#include <optional>

#include "support/sim/sim_world.hpp"

namespace spillway::sim {

enum class SessionEvent : std::uint8_t {
  none,
  connected,
  lost,  ///< A statement under way may have committed, may yet, or never will.
  done,
  passing_error,
  permanent_error,
};

/// Connects by itself, for ever; one statement at a time.
class SimSession {
 public:
  /// `hello` runs in each new session before it counts as connected.
  SimSession(World& world, ActorId actor, Statement hello, std::optional<Duration> idle_timeout);
  SimSession(const SimSession&) = delete;
  SimSession& operator=(const SimSession&) = delete;
  /// As when the process dies: what is on its way may still commit.
  ~SimSession();

  [[nodiscard]] SessionEvent poll(Instant now);
  [[nodiscard]] bool is_idle() const noexcept { return is_ready_ && !running_; }
  void start(Statement statement);
  /// Of the statement that failed last.
  [[nodiscard]] const char* error() const noexcept { return error_; }
  [[nodiscard]] std::optional<Instant> next_event() const;
  /// The connection breaks now; the old session lives on at the server for `lingers`.
  void cut(Duration lingers);

 private:
  enum class Fate : std::uint8_t {
    well,
    lost_before_commit,
    lost_after_commit,
    limbo,
    passing_error,
    permanent_error,
  };

  [[nodiscard]] Fate draw_fate();
  void begin(Statement statement, Instant now);
  [[nodiscard]] SessionEvent poll_statement(Instant now);
  [[nodiscard]] SessionEvent finish(StatementStatus status, Instant now);
  /// Of a session that has ended on the server.
  [[nodiscard]] bool has_noticed_the_end(Instant now);
  [[nodiscard]] SessionEvent lose(Instant now);
  void linger(Instant until);

  World& world_;
  Decisions decisions_;
  Statement hello_;
  std::optional<Duration> idle_timeout_;
  std::optional<SessionId> session_;
  bool is_ready_ = false;
  bool is_cut_ = false;
  std::optional<StatementId> running_;
  Fate fate_ = Fate::well;
  Instant started_at_;
  Instant due_;
  Instant connect_at_;
  std::optional<Instant> notice_at_;
  const char* error_ = "";
};

}  // namespace spillway::sim
