#include "adapters/postgres/pg_outbox.hpp"

#include "adapters/postgres/error_kinds.hpp"
#include "adapters/postgres/outbox_sql.hpp"
#include "adapters/postgres/sql_text.hpp"
#include "core/check.hpp"

namespace spillway::postgres {
namespace {

using namespace std::chrono_literals;
using ports::StoreEvent;
using ports::StoreEventKind;

// A backend whose client closed the socket is usually gone within this; one that is not is ended.
constexpr core::Duration lock_retry_every = 20ms;
constexpr unsigned lock_refusals_before_end = 5;
// Ended, but not gone: a hung backend goes only when it runs again.
constexpr core::Duration lock_retry_slowly_every = 250ms;
constexpr core::Duration tcp_user_timeout = 2s;

SessionSettings session_settings(const PgOutboxSettings& settings) {
  return {.conninfo = settings.conninfo,
          .password = settings.password,
          .application_name = "spillway-writer",
          .connect_within = settings.connect_within,
          .reply_within = settings.reply_within};
}

}  // namespace

PgOutbox::PgOutbox(PgOutboxSettings settings, ports::Log& log)
    : settings_{std::move(settings)}, session_{session_settings(settings_), log}, trouble_{log} {}

StoreEvent PgOutbox::poll(core::Instant now) noexcept {
  switch (session_.poll(now)) {
    case SessionEvent::none:
      if (phase_ == Phase::lock_wait && now >= lock_due_at_) try_lock();
      return {};
    case SessionEvent::opened:
      lock_refusals_ = 0;
      send(Phase::settings, session_settings_sql(settings_.statement_within, tcp_user_timeout));
      return {};
    case SessionEvent::closed:
      return on_closed();
    case SessionEvent::answered:
      return on_answer(now);
  }
  core::die("not a SessionEvent");
}

// What the caller was told is `connected` only; a session that broke before that is none of its
// business.
StoreEvent PgOutbox::on_closed() {
  const bool was_connected = phase_ >= Phase::idle;
  phase_ = Phase::away;
  if (!was_connected) return {};
  return {.kind = StoreEventKind::lost, .streams = {}, .error = session_.why_closed()};
}

StoreEvent PgOutbox::on_answer(core::Instant now) {
  const PGresult* const error = session_.error();
  if (phase_ == Phase::end_owner) {
    on_owner_ended(now);
    return {};
  }
  if (error != nullptr && phase_ < Phase::idle) {
    session_.drop(describe(error), now);
    return on_closed();
  }
  if (error != nullptr) return on_transaction_failed(now);
  switch (phase_) {
    case Phase::settings:
      if (bool_cell(session_.rows(), 0, 0)) {
        session_.drop("the server is a standby, which takes no writes", now);
        return on_closed();
      }
      try_lock();
      return {};
    case Phase::lock:
      on_lock_answer(now);
      return {};
    case Phase::streams:
      phase_ = Phase::idle;
      session_.announce();
      return {.kind = StoreEventKind::connected, .streams = read_streams(), .error = {}};
    case Phase::reading_progress:
      phase_ = Phase::idle;
      return {.kind = StoreEventKind::progress, .streams = read_streams(), .error = {}};
    case Phase::writing:
      phase_ = Phase::idle;
      session_.reset_backoff();
      trouble_.is_over("postgres at " + session_.server() + ": transactions succeed again");
      return {.kind = StoreEventKind::committed, .streams = {}, .error = {}};
    case Phase::away:
    case Phase::lock_wait:
    case Phase::end_owner:
    case Phase::idle:
      break;
  }
  core::die("an answer nobody waits for");
}

StoreEvent PgOutbox::on_transaction_failed(core::Instant now) {
  error_ = describe(session_.error());
  const ErrorKind kind = kind_of(session_.error());
  if (kind == ErrorKind::lost) {
    session_.drop(error_, now);
    return on_closed();
  }
  phase_ = Phase::idle;
  trouble_.is(kind == ErrorKind::refused ? LogLevel::error : LogLevel::warning,
              "postgres at " + session_.server() + ": a transaction failed: " + error_);
  return {.kind = kind == ErrorKind::refused ? StoreEventKind::refused : StoreEventKind::retry,
          .streams = {},
          .error = error_};
}

void PgOutbox::try_lock() {
  send(Phase::lock, take_owner_lock_sql(settings_.instance));
}

void PgOutbox::wait_for_lock(core::Duration delay, core::Instant now) {
  phase_ = Phase::lock_wait;
  lock_due_at_ = now + delay;
}

void PgOutbox::on_lock_answer(core::Instant now) {
  if (bool_cell(session_.rows(), 0, 0)) {
    send(Phase::streams, streams_sql(settings_.instance));
    return;
  }
  ++lock_refusals_;
  if (lock_refusals_ % lock_refusals_before_end == 0) {
    send(Phase::end_owner, end_owner_sql(settings_.instance));
    return;
  }
  const bool is_hung = lock_refusals_ > 2 * lock_refusals_before_end;
  wait_for_lock(is_hung ? lock_retry_slowly_every : lock_retry_every, now);
}

void PgOutbox::on_owner_ended(core::Instant now) {
  const std::string subject =
      "postgres at " + session_.server() + ": an older session of this instance";
  if (session_.error() != nullptr) {
    trouble_.is(LogLevel::warning, subject + " cannot be ended: " + describe(session_.error()));
  } else if (PQntuples(session_.rows()) > 0) {
    trouble_.is(LogLevel::warning, subject + " is ended first: backend " +
                                       std::to_string(int_cell(session_.rows(), 0, 0)));
  }
  wait_for_lock(lock_retry_every, now);
}

void PgOutbox::write_rows(core::LaneIndex lane, std::span<const ports::OutboxRow> rows) {
  SPILLWAY_CHECK(is_idle());
  SPILLWAY_CHECK(!rows.empty());
  phase_ = Phase::writing;
  session_.send(write_rows_sql(stream(lane), rows));
  session_.supply(encoder_.encode(stream(lane), rows));
}

void PgOutbox::write_dead_letters(core::LaneIndex lane,
                                  std::span<const ports::DeadLetterRow> letters) {
  SPILLWAY_CHECK(is_idle());
  SPILLWAY_CHECK(!letters.empty());
  send(Phase::writing, write_dead_letters_sql(stream(lane), letters));
}

void PgOutbox::release(core::LaneIndex lane, core::Seq held_through,
                       std::span<const ports::Unfinished> unfinished) {
  SPILLWAY_CHECK(is_idle());
  send(Phase::writing, release_sql(stream(lane), held_through, unfinished));
}

void PgOutbox::release_unknown(core::LaneIndex lane) {
  SPILLWAY_CHECK(is_idle());
  send(Phase::writing, release_unknown_sql(stream(lane)));
}

void PgOutbox::read_progress() {
  SPILLWAY_CHECK(is_idle());
  send(Phase::reading_progress, streams_sql(settings_.instance));
}

void PgOutbox::send(Phase phase, const std::string& sql) {
  phase_ = phase;
  session_.send(sql);
}

std::span<const ports::StreamState> PgOutbox::read_streams() {
  streams_.clear();
  const PGresult* const rows = session_.rows();
  for (int row = 0; row < PQntuples(rows); ++row) {
    streams_.push_back({.lane = {static_cast<std::uint16_t>(int_cell(rows, row, 0))},
                        .written_through = {from_bigint(int_cell(rows, row, 1))},
                        .held_through = {from_bigint(int_cell(rows, row, 2))},
                        .relayed_through = {from_bigint(int_cell(rows, row, 3))}});
  }
  return streams_;
}

core::StreamId PgOutbox::stream(core::LaneIndex lane) const noexcept {
  return {.instance = settings_.instance, .lane = lane};
}

}  // namespace spillway::postgres
