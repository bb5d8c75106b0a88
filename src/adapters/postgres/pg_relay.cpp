#include "adapters/postgres/pg_relay.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "adapters/postgres/error_kinds.hpp"
#include "adapters/postgres/lock_keys.hpp"
#include "adapters/postgres/outbox_sql.hpp"
#include "adapters/postgres/row_batch.hpp"
#include "adapters/postgres/sql_text.hpp"
#include "core/check.hpp"

namespace spillway::postgres {
namespace {

using namespace std::chrono_literals;
using ports::RelayEvent;
using ports::RelayEventKind;

// A relay that stops in the middle of a result keeps its leases until the server's send times out.
constexpr core::Duration tcp_user_timeout = 2s;
// How much of the lease's time may pass in silence.
constexpr int pings_per_lease = 3;

SessionSettings session_settings(const PgRelaySettings& settings) {
  return {.conninfo = settings.conninfo,
          .password = settings.password,
          .application_name = "spillway-relay",
          .connect_within = settings.connect_within,
          .reply_within = settings.reply_within};
}

RelayEvent event(RelayEventKind kind) {
  RelayEvent made;
  made.kind = kind;
  return made;
}

core::StreamId stream_cell(const PGresult* rows, int row) noexcept {
  return {.instance = {from_bigint(int_cell(rows, row, 0))},
          .lane = {static_cast<std::uint16_t>(int_cell(rows, row, 1))}};
}

ports::LeasedStream leased_cells(const PGresult* rows, int row, bool is_new) noexcept {
  return {.id = stream_cell(rows, row),
          .written_through = {from_bigint(int_cell(rows, row, 2))},
          .relayed_through = {from_bigint(int_cell(rows, row, 3))},
          .is_new = is_new};
}

}  // namespace

PgRelay::PgRelay(PgRelaySettings settings, ports::Log& log)
    : settings_{std::move(settings)}, session_{session_settings(settings_), log}, trouble_{log} {}

RelayEvent PgRelay::poll(core::Instant now) noexcept {
  switch (session_.poll(now)) {
    case SessionEvent::none:
      ping_when_quiet(now);
      return {};
    case SessionEvent::opened:
      send(Phase::settings, session_settings_sql(settings_.statement_within, tcp_user_timeout) +
                                relay_settings_sql(settings_.lease_timeout));
      return {};
    case SessionEvent::closed:
      return on_closed();
    case SessionEvent::answered:
      last_answer_at_ = now;
      return on_answer(now);
  }
  core::die("not a SessionEvent");
}

RelayEvent PgRelay::on_closed() {
  const bool was_connected = phase_ >= Phase::idle;
  phase_ = Phase::away;
  leases_.clear();
  taking_.clear();
  // The server may have been away, and the owners' locks with it: the grace begins anew.
  owner_away_since_.clear();
  if (!was_connected) return {};
  RelayEvent lost = event(RelayEventKind::lost);
  lost.error = session_.why_closed();
  return lost;
}

RelayEvent PgRelay::on_answer(core::Instant now) {
  if (session_.error() != nullptr) return on_error(now);
  switch (phase_) {
    case Phase::settings:
      return on_settings(now);
    case Phase::looking:
      return on_look(now);
    case Phase::adopting:
      adopted_ += static_cast<std::uint32_t>(PQntuples(session_.rows()));
      look();
      return {};
    case Phase::taking:
      return on_taken();
    case Phase::finishing:
      return on_finished(now);
    case Phase::reading: {
      phase_ = Phase::idle;
      RelayEvent rows = event(RelayEventKind::rows);
      rows.batch = std::make_shared<PgRowBatch>(session_.take_rows());
      return rows;
    }
    case Phase::giving_up:
      phase_ = Phase::idle;
      leases_.erase(giving_up_);
      return event(RelayEventKind::given_up);
    case Phase::pinging:
      phase_ = Phase::idle;
      return {};
    case Phase::away:
    case Phase::idle:
      break;
  }
  core::die("an answer nobody waits for");
}

RelayEvent PgRelay::on_error(core::Instant now) {
  error_ = describe(session_.error());
  // A scan that failed halfway may have taken locks that nobody has counted: they end with the
  // session.
  const bool may_hold_more = phase_ == Phase::looking || phase_ == Phase::adopting ||
                             phase_ == Phase::taking || phase_ < Phase::idle;
  if (may_hold_more || kind_of(session_.error()) == ErrorKind::lost) {
    session_.drop(error_, now);
    return on_closed();
  }
  phase_ = Phase::idle;
  trouble_.is(LogLevel::warning,
              "postgres at " + session_.server() + ": a relay's request failed: " + error_);
  RelayEvent failed = event(RelayEventKind::failed);
  failed.error = error_;
  return failed;
}

RelayEvent PgRelay::on_settings(core::Instant now) {
  if (bool_cell(session_.rows(), 0, 0)) {
    session_.drop("the server is a standby, which takes no writes", now);
    return on_closed();
  }
  phase_ = Phase::idle;
  session_.announce();
  return event(RelayEventKind::connected);
}

void PgRelay::scan(core::Instant now) {
  SPILLWAY_CHECK(is_idle());
  scan_at_ = now;
  adopted_ = 0;
  look();
}

void PgRelay::look() {
  std::vector<std::uint64_t> keys;
  keys.reserve(leases_.size());
  for (const core::StreamId& stream : leases_)
    keys.push_back(from_bigint(lease_key(stream)));
  send(Phase::looking, look_sql(keys));
}

RelayEvent PgRelay::on_look(core::Instant now) {
  const PGresult* const rows = session_.rows();
  streams_.clear();
  orphans_.clear();
  std::set<std::uint64_t> owners_away;
  for (int row = 0; row < PQntuples(rows); ++row) {
    const bool is_held = bool_cell(rows, row, 4);
    const bool is_leased = bool_cell(rows, row, 6);
    const core::StreamId stream = stream_cell(rows, row);
    if (is_held && !bool_cell(rows, row, 5)) owners_away.insert(stream.instance.value);
    if (!is_leased) continue;
    if (leases_.insert(stream).second) {
      taking_.push_back(stream);
    } else if (std::ranges::find(taking_, stream) == taking_.end()) {
      streams_.push_back(leased_cells(rows, row, false));
    }
  }
  note_owners(owners_away);
  if (adopt_one()) return {};
  if (taking_.empty()) return scanned();
  last_answer_at_ = now;
  send(Phase::taking, take_sql(taking_, settings_.holder));
  return {};
}

// The grace counts from the first of the looks at which an owner was away without a break.
void PgRelay::note_owners(const std::set<std::uint64_t>& away) {
  std::erase_if(owner_away_since_, [&](const auto& entry) { return !away.contains(entry.first); });
  for (const std::uint64_t instance : away) {
    const core::Instant since = owner_away_since_.try_emplace(instance, scan_at_).first->second;
    if (scan_at_ - since >= settings_.owner_grace) orphans_.push_back({instance});
  }
}

// True when a transaction was started; another look follows it.
bool PgRelay::adopt_one() {
  if (orphans_.empty()) return false;
  // Whatever comes of it, the next try has to wait for the whole grace again.
  owner_away_since_.erase(orphans_.front().value);
  send(Phase::adopting, adopt_sql(orphans_.front()));
  return true;
}

RelayEvent PgRelay::on_taken() {
  const PGresult* const rows = session_.rows();
  for (int row = 0; row < PQntuples(rows); ++row) {
    streams_.push_back(leased_cells(rows, row, bool_cell(rows, row, 4)));
  }
  taking_.clear();
  return scanned();
}

RelayEvent PgRelay::scanned() {
  phase_ = Phase::idle;
  session_.reset_backoff();
  RelayEvent done = event(RelayEventKind::scanned);
  done.streams = streams_;
  done.adopted = adopted_;
  return done;
}

void PgRelay::read(core::StreamId stream, core::Seq after, std::size_t rows_max,
                   std::size_t bytes_max) {
  SPILLWAY_CHECK(is_idle());
  SPILLWAY_CHECK(leases_.contains(stream));
  phase_ = Phase::reading;
  session_.execute(read_statement,
                   std::array{as_bigint(stream.instance.value), std::int64_t{stream.lane.value},
                              as_bigint(after.value), as_bigint(rows_max), as_bigint(bytes_max)});
}

// Deletes from what the table says, not from what the caller says: after a crash of the server rows
// may have come back whose removal was not yet on the disk.
void PgRelay::finish(core::StreamId stream, core::Seq /*from*/, core::Seq through,
                     std::span<const ports::RelayDeadLetter> dead) {
  SPILLWAY_CHECK(is_idle());
  SPILLWAY_CHECK(leases_.contains(stream));
  send(Phase::finishing, finish_sql(stream, through, dead, settings_.holder));
}

RelayEvent PgRelay::on_finished(core::Instant now) {
  if (PQntuples(session_.rows()) == 0) {
    session_.drop("another relay is entered as the holder of a lease of this one", now);
    return on_closed();
  }
  phase_ = Phase::idle;
  trouble_.is_over("postgres at " + session_.server() + ": a relay's requests succeed again");
  return event(RelayEventKind::finished);
}

void PgRelay::give_up(core::StreamId stream) {
  SPILLWAY_CHECK(is_idle());
  giving_up_ = stream;
  send(Phase::giving_up, give_up_sql(stream));
}

void PgRelay::ping_when_quiet(core::Instant now) {
  if (phase_ == Phase::idle && now - last_answer_at_ >= settings_.lease_timeout / pings_per_lease) {
    send(Phase::pinging, "SELECT 1");
  }
}

void PgRelay::send(Phase phase, const std::string& sql) {
  phase_ = phase;
  session_.send(sql);
}

}  // namespace spillway::postgres
