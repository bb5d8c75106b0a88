#include "support/sim/sim_session.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"

namespace spillway::sim {
namespace {

Statement nothing() {
  return {[](SimDatabase&, SessionId, Instant) -> const char* { return nullptr; }};
}

}  // namespace

SimSession::SimSession(World& world, ActorId actor, Statement hello,
                       std::optional<Duration> idle_timeout)
    : world_{world},
      decisions_{world.plan(), actor},
      hello_{std::move(hello)},
      idle_timeout_{idle_timeout},
      connect_at_{world.now()} {}

SimSession::~SimSession() {
  if (!session_) return;
  const PostgresFaults& faults = world_.plan().postgres;
  if (running_ && decisions_.happens(Choice::crash_commit, faults.commit_at_crash)) {
    world_.database().leave_in_limbo(*running_, std::max(due_, world_.now()));
    return;
  }
  world_.database().end_session(*session_, world_.now());
}

SessionEvent SimSession::poll(Instant now) {
  SimDatabase& database = world_.database();
  if (std::exchange(is_cut_, false)) return lose(now);
  if (!session_) {
    if (now < connect_at_ || database.state() != ServerState::up) return SessionEvent::none;
    session_ = database.open_session(now, idle_timeout_);
    begin(hello_, now);
    return SessionEvent::none;
  }
  if (!database.is_alive(*session_)) {
    return has_noticed_the_end(now) ? lose(now) : SessionEvent::none;
  }
  return running_ ? poll_statement(now) : SessionEvent::none;
}

void SimSession::start(Statement statement) {
  SPILLWAY_CHECK(is_idle());
  begin(std::move(statement), world_.now());
}

void SimSession::begin(Statement statement, Instant now) {
  const PostgresFaults& faults = world_.plan().postgres;
  const bool is_relay = idle_timeout_.has_value();
  if (is_relay && decisions_.happens(Choice::session_killed, faults.session_killed)) {
    world_.database().end_session(*session_, now);
    world_.trace().count(Happening::lease_lost_silently);
  }
  fate_ = draw_fate();
  started_at_ = now;
  due_ = now + decisions_.within(Choice::statement_latency, faults.statement_latency) +
         world_.database().slower_by();
  const bool takes_effect = fate_ == Fate::well || fate_ == Fate::lost_after_commit;
  Instant runs_at = due_;
  if (fate_ == Fate::limbo) runs_at += decisions_.within(Choice::limbo, faults.limbo_for);
  running_ = world_.database().start(
      *session_, takes_effect || fate_ == Fate::limbo ? std::move(statement) : nothing(), runs_at);
  if (fate_ == Fate::limbo) world_.database().leave_in_limbo(*running_, runs_at);
}

SimSession::Fate SimSession::draw_fate() {
  const PostgresFaults& faults = world_.plan().postgres;
  if (decisions_.happens(Choice::statement_fate, faults.lost_before_commit)) {
    return Fate::lost_before_commit;
  }
  if (!is_ready_) return Fate::well;  // an abandoned greeting does nothing
  if (decisions_.happens(Choice::statement_fate, faults.lost_after_commit)) {
    return Fate::lost_after_commit;
  }
  if (decisions_.happens(Choice::limbo, faults.limbo)) return Fate::limbo;
  if (decisions_.happens(Choice::statement_error, faults.passing_error)) return Fate::passing_error;
  const bool fails = decisions_.happens(Choice::statement_error, faults.permanent_error);
  return fails ? Fate::permanent_error : Fate::well;
}

SessionEvent SimSession::poll_statement(Instant now) {
  const bool is_late = now - started_at_ > world_.plan().postgres.patience;
  if (fate_ == Fate::limbo && now >= due_) {
    world_.trace().count(Happening::commit_in_limbo);
    return lose(now);  // its statement is on its own
  }
  const StatementStatus status =
      fate_ == Fate::limbo ? StatementStatus::running : world_.database().take_status(*running_);
  if (status != StatementStatus::running) return finish(status, now);
  if (!is_late) return SessionEvent::none;
  world_.database().leave_in_limbo(*running_, due_);
  return lose(now);
}

SessionEvent SimSession::finish(StatementStatus status, Instant now) {
  running_.reset();
  if (status == StatementStatus::vanished) return lose(now);
  if (fate_ == Fate::lost_before_commit || fate_ == Fate::lost_after_commit) {
    world_.trace().count(fate_ == Fate::lost_after_commit ? Happening::commit_lost_yes
                                                          : Happening::commit_lost_no);
    linger(now + decisions_.within(Choice::limbo, world_.plan().postgres.limbo_for));
    return lose(now);
  }
  error_ = world_.database().error();
  if (status == StatementStatus::done && fate_ == Fate::passing_error) {
    error_ = "deadlock detected";
    status = StatementStatus::passing_error;
  }
  if (status == StatementStatus::done && fate_ == Fate::permanent_error) {
    error_ = "value too long";
    status = StatementStatus::permanent_error;
  }
  if (!is_ready_) {  // this was the hello
    if (status != StatementStatus::done) {
      world_.database().end_session(*session_, now);
      static_cast<void>(lose(now));
      return SessionEvent::none;
    }
    is_ready_ = true;
    return SessionEvent::connected;
  }
  if (status == StatementStatus::done) return SessionEvent::done;
  return status == StatementStatus::passing_error ? SessionEvent::passing_error
                                                  : SessionEvent::permanent_error;
}

bool SimSession::has_noticed_the_end(Instant now) {
  // A dying server closes its sockets; anything else is learned of when something is tried.
  if (world_.database().state() == ServerState::down) return true;
  if (!notice_at_) {
    notice_at_ = now + decisions_.within(Choice::notice, world_.plan().postgres.notice);
  }
  return now >= *notice_at_;
}

SessionEvent SimSession::lose(Instant now) {
  const bool was_ready = is_ready_;
  session_.reset();
  running_.reset();
  notice_at_.reset();
  is_ready_ = false;
  connect_at_ = now + decisions_.within(Choice::reconnect, world_.plan().postgres.reconnect);
  return was_ready ? SessionEvent::lost : SessionEvent::none;
}

// A session whose client is gone ends when the server looks at its socket.
void SimSession::linger(Instant until) {
  const StatementId last = world_.database().start(*session_, nothing(), until);
  world_.database().leave_in_limbo(last, until);
}

void SimSession::cut(Duration lingers) {
  if (!session_) return;
  const Instant until = world_.now() + lingers;
  if (running_) {
    world_.database().leave_in_limbo(*running_, std::max(due_, until));
  } else {
    linger(until);
  }
  session_.reset();
  is_cut_ = true;
}

std::optional<Instant> SimSession::next_event() const {
  if (!session_) {
    if (world_.database().state() != ServerState::up) return std::nullopt;
    return connect_at_;
  }
  if (notice_at_) return notice_at_;
  if (!running_) return std::nullopt;
  if (world_.database().state() != ServerState::up) {
    return started_at_ + world_.plan().postgres.patience + Duration{1};
  }
  return std::max(due_, world_.now());
}

}  // namespace spillway::sim
