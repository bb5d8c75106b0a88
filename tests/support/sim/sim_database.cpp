#include "support/sim/sim_database.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace spillway::sim {
namespace {

constexpr ActorId database_actor{0xDB};

}  // namespace

SimDatabase::SimDatabase(const FaultPlan& plan, Trace& trace)
    : plan_{plan}, trace_{trace}, decisions_{plan, database_actor} {}

void SimDatabase::set_state(ServerState state, Instant now) {
  if (state == state_) return;
  if (state == ServerState::down) crash(now);
  state_ = state;
  trace_.note({now, EventKind::server_state, {}, {static_cast<std::uint64_t>(state)}, {1}});
}

void SimDatabase::crash(Instant now) {
  for (auto& [id, running] : statements_) {
    const bool commits = decisions_.happens(Choice::crash_commit, plan_.postgres.commit_at_crash);
    if (running.status == StatementStatus::running && commits && state_ == ServerState::up) {
      run(running, now);
    }
  }
  while (!sessions_.empty())
    end_session(sessions_.begin()->first, now);
  // The newest go first: what a later flush would have covered is not lost without its successors.
  const bool forgets = decisions_.happens(Choice::crash_undo, plan_.postgres.async_forgotten);
  std::size_t kept = undo_.size();
  if (forgets && kept != 0) kept = decisions_.below(Choice::crash_undo, kept + 1);
  for (std::size_t i = undo_.size(); i > kept; --i) {
    Undo& undo = undo_[i - 1];
    if (now - undo.at > plan_.postgres.async_window) break;
    streams_[undo.stream] = std::move(undo.before);
    trace_.count(Happening::deletes_forgotten);
  }
  undo_.clear();
}

SessionId SimDatabase::open_session(Instant now, std::optional<Duration> idle_timeout) {
  SPILLWAY_CHECK(state_ == ServerState::up);
  const SessionId id{++last_session_};
  sessions_.emplace(id, Session{idle_timeout, now});
  return id;
}

bool SimDatabase::is_alive(SessionId session) const noexcept {
  return sessions_.contains(session);
}

void SimDatabase::end_session(SessionId session, Instant now) {
  if (sessions_.erase(session) == 0) return;
  std::erase_if(locks_, [session](const auto& lock) { return lock.second == session; });
  std::erase_if(statements_, [session](const auto& entry) {
    return entry.second.session == session && entry.second.in_limbo;
  });
  for (auto& [id, running] : statements_) {
    if (running.session == session) running.status = StatementStatus::vanished;
  }
  trace_.note({now, EventKind::session_ended, {}, {}, {session.value}});
}

bool SimDatabase::try_lock(const LockKey& key, SessionId session) {
  SPILLWAY_CHECK(is_alive(session));
  return locks_.try_emplace(key, session).first->second == session;
}

void SimDatabase::unlock(const LockKey& key, SessionId session) {
  const auto found = locks_.find(key);
  if (found != locks_.end() && found->second == session) locks_.erase(found);
}

std::optional<SessionId> SimDatabase::holder(const LockKey& key) const noexcept {
  const auto found = locks_.find(key);
  if (found == locks_.end()) return std::nullopt;
  return found->second;
}

StatementId SimDatabase::start(SessionId session, Statement statement, Instant due) {
  const StatementId id{++last_statement_};
  Running running{session, std::move(statement), due};
  if (!is_alive(session)) running.status = StatementStatus::vanished;
  statements_.emplace(id.value, std::move(running));
  return id;
}

StatementStatus SimDatabase::take_status(StatementId id) {
  const auto found = statements_.find(id.value);
  if (found == statements_.end()) return StatementStatus::vanished;
  const StatementStatus status = found->second.status;
  error_ = found->second.error;
  if (status != StatementStatus::running) statements_.erase(found);
  return status;
}

void SimDatabase::leave_in_limbo(StatementId id, Instant due) {
  const auto found = statements_.find(id.value);
  if (found == statements_.end() || found->second.status != StatementStatus::running) return;
  found->second.in_limbo = true;
  found->second.due = due;
}

void SimDatabase::drop(StatementId id) {
  statements_.erase(id.value);
}

void SimDatabase::run(Running& running, Instant now) {
  if (failing_ != nullptr) {
    running.status = StatementStatus::passing_error;
    running.error = failing_;
    return;
  }
  sessions_.at(running.session).active_at = now;
  const char* const error = running.statement.body(*this, running.session, now);
  if (running.statement.durability == Durability::synchronous) undo_.clear();
  running.status = error == nullptr ? StatementStatus::done : StatementStatus::permanent_error;
  running.error = error == nullptr ? "" : error;
}

void SimDatabase::advance(Instant now) {
  if (state_ != ServerState::up) return;
  std::vector<std::pair<Instant, std::uint64_t>> due;
  for (const auto& [id, running] : statements_) {
    if (running.status == StatementStatus::running && running.due <= now) {
      due.emplace_back(running.due, id);
    }
  }
  std::ranges::sort(due);
  for (const auto& [at, id] : due) {
    const auto found = statements_.find(id);  // one that ran before may have ended its session
    if (found == statements_.end() || found->second.status != StatementStatus::running) continue;
    run(found->second, now);
    if (found->second.in_limbo && found->second.statement.durability == Durability::synchronous) {
      trace_.count(Happening::limbo_committed);
    }
    if (found->second.in_limbo) end_session(found->second.session, now);
  }
  end_idle_sessions(now);
}

void SimDatabase::end_idle_sessions(Instant now) {
  std::vector<SessionId> idle;
  for (const auto& [id, session] : sessions_) {
    if (session.idle_timeout && now - session.active_at > *session.idle_timeout) idle.push_back(id);
  }
  for (const SessionId id : idle)
    end_session(id, now);
}

std::optional<Instant> SimDatabase::next_event() const noexcept {
  std::optional<Instant> next;
  if (state_ != ServerState::up) return next;
  for (const auto& [id, running] : statements_) {
    const bool waits = running.status == StatementStatus::running;
    if (waits && (!next || running.due < *next)) next = running.due;
  }
  return next;
}

std::size_t SimDatabase::row_count() const noexcept {
  std::size_t count = 0;
  for (const auto& [id, stream] : streams_)
    count += stream.outbox.size();
  return count;
}

std::size_t SimDatabase::dead_letter_count() const noexcept {
  std::size_t count = 0;
  for (const auto& [id, stream] : streams_)
    count += stream.dead_letters.size();
  return count;
}

void SimDatabase::remember(core::StreamId stream, Instant now) {
  if (plan_.postgres.async_forgotten.ppm == 0) return;
  std::erase_if(
      undo_, [this, now](const Undo& undo) { return now - undo.at > plan_.postgres.async_window; });
  undo_.push_back({now, stream, streams_[stream]});
}

core::UnixTime SimDatabase::unix_time(Instant now) const noexcept {
  constexpr std::int64_t year_2026_ns = 1'767'225'600'000'000'000;
  return {year_2026_ns + now.time_since_epoch().count()};
}

}  // namespace spillway::sim
