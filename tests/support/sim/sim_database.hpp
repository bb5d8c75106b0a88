// tests/support/sim/sim_database.hpp: Postgres' side: the outbox's tables, advisory locks,
// sessions.
//
// A transaction is one statement: it runs at one moment, whole or not at all, if the server is up
// and its session still lives then. So a statement whose client is gone may still commit, until
// somebody ends its session.

#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "support/sim/fault_plan.hpp"
#include "support/sim/sim_kafka.hpp"
#include "support/sim/trace.hpp"

namespace spillway::sim {

struct StoredRow {
  core::Seq seq;
  std::string topic;
  std::optional<ByteString> key;
  std::optional<ByteString> payload;
  ByteString headers;
  core::UnixTime accepted_at;
  core::UnixTime spilled_at;
  std::optional<std::int64_t> event_time_ms;
  bool held = false;
  core::ResendCause resend = core::ResendCause::none;
  core::Seq renumbered_from;
  std::uint32_t attempts = 0;
};

struct StoredLetter {
  StoredRow row;
  std::string error;
};

/// One stream's part of every table.
struct StreamTables {
  std::map<core::Seq, StoredRow> outbox;
  std::map<core::Seq, StoredLetter> dead_letters;
  core::Seq written_through;
  core::Seq held_through;
  core::Seq relayed_through;
  core::Seq started_through;  ///< A relay was given the rows up to here.
  std::uint32_t holder = 0;   ///< The relay that had the lease last.
};

enum class LockKind : std::uint8_t { owner, lease };
struct LockKey {
  LockKind kind = LockKind::owner;
  core::StreamId stream;  ///< An owner's has lane 0.
  friend auto operator<=>(const LockKey&, const LockKey&) = default;
};
[[nodiscard]] constexpr LockKey owner_lock(core::InstanceId instance) noexcept {
  return {LockKind::owner, {instance, {}}};
}
[[nodiscard]] constexpr LockKey lease_lock(core::StreamId stream) noexcept {
  return {LockKind::lease, stream};
}

struct SessionId {
  std::uint64_t value = 0;
  friend auto operator<=>(const SessionId&, const SessionId&) = default;
};
struct StatementId {
  std::uint64_t value = 0;
};

enum class StatementStatus : std::uint8_t {
  running,
  done,
  passing_error,
  permanent_error,
  vanished,  ///< Its session ended, before it or after it: the client cannot know.
};

enum class Durability : std::uint8_t {
  reads_only,
  asynchronous,  ///< A crash soon after may take it back.
  synchronous,   ///< And every commit before it.
};

class SimDatabase;

/// Runs at the moment of its commit. It outlives its client, so it holds what it needs; an error
/// text means that it changed nothing.
struct Statement {
  std::function<const char*(SimDatabase&, SessionId, Instant)> body;
  Durability durability = Durability::reads_only;
};

class SimDatabase {
 public:
  SimDatabase(const FaultPlan& plan, Trace& trace);

  // ---- The server
  // --------------------------------------------------------------------------------
  /// Down ends every session; what ran then has committed or not, as the seed says.
  void set_state(ServerState state, Instant now);
  [[nodiscard]] ServerState state() const noexcept { return state_; }
  /// Every statement fails, for now: disk full, read-only, a lost privilege, a missing table.
  void fail_statements(const char* error) noexcept { failing_ = error; }
  /// Every statement takes so much longer.
  void slow_down(Duration by) noexcept { slower_by_ = by; }
  [[nodiscard]] Duration slower_by() const noexcept { return slower_by_; }

  // ---- Sessions
  // ----------------------------------------------------------------------------------
  [[nodiscard]] SessionId open_session(Instant now, std::optional<Duration> idle_timeout);
  [[nodiscard]] bool is_alive(SessionId session) const noexcept;
  /// On the server: locks and statements of the session end. Its client learns of it later.
  void end_session(SessionId session, Instant now);
  [[nodiscard]] bool try_lock(const LockKey& key, SessionId session);
  void unlock(const LockKey& key, SessionId session);
  [[nodiscard]] std::optional<SessionId> holder(const LockKey& key) const noexcept;

  [[nodiscard]] StatementId start(SessionId session, Statement statement, Instant due);
  /// The client asked for nothing yet; nothing is left after the first answer but `running`.
  [[nodiscard]] StatementStatus take_status(StatementId id);
  /// The error of the last status taken.
  [[nodiscard]] const char* error() const noexcept { return error_; }
  /// Runs later, with nobody waiting, and ends its session then.
  void leave_in_limbo(StatementId id, Instant due);
  /// Was never received.
  void drop(StatementId id);

  void advance(Instant now);
  [[nodiscard]] std::optional<Instant> next_event() const noexcept;

  // ---- The tables
  // --------------------------------------------------------------------------------
  /// Made when it is missing.
  [[nodiscard]] StreamTables& tables(core::StreamId stream) { return streams_[stream]; }
  [[nodiscard]] std::map<core::StreamId, StreamTables>& streams() noexcept { return streams_; }
  [[nodiscard]] const std::map<core::StreamId, StreamTables>& streams() const noexcept {
    return streams_;
  }
  [[nodiscard]] std::size_t row_count() const noexcept;
  [[nodiscard]] std::size_t dead_letter_count() const noexcept;
  /// Rows that were written a second time: a bug of the writer.
  [[nodiscard]] std::size_t duplicate_keys() const noexcept { return duplicate_keys_; }
  void note_duplicate_key() noexcept { ++duplicate_keys_; }
  /// Before an asynchronous change of `stream`: a crash soon after may take it back.
  void remember(core::StreamId stream, Instant now);

  [[nodiscard]] Trace& trace() noexcept { return trace_; }
  [[nodiscard]] core::UnixTime unix_time(Instant now) const noexcept;

 private:
  struct Session {
    std::optional<Duration> idle_timeout;
    Instant active_at;
  };
  struct Running {
    SessionId session;
    Statement statement;
    Instant due;
    bool in_limbo = false;
    StatementStatus status = StatementStatus::running;
    const char* error = "";
  };
  struct Undo {
    Instant at;
    core::StreamId stream;
    StreamTables before;
  };

  void run(Running& running, Instant now);
  void crash(Instant now);
  void end_idle_sessions(Instant now);

  const FaultPlan& plan_;
  Trace& trace_;
  Decisions decisions_;
  ServerState state_ = ServerState::up;
  const char* failing_ = nullptr;
  Duration slower_by_{};
  std::uint64_t last_session_ = 0;
  std::uint64_t last_statement_ = 0;
  const char* error_ = "";
  std::size_t duplicate_keys_ = 0;
  std::map<SessionId, Session> sessions_;
  std::map<LockKey, SessionId> locks_;
  std::map<std::uint64_t, Running> statements_;
  std::map<core::StreamId, StreamTables> streams_;
  std::vector<Undo> undo_;  // asynchronous commits since the last flush
};

}  // namespace spillway::sim
