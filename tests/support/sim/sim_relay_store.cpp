#include "support/sim/sim_relay_store.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"

namespace spillway::sim {
namespace {

using core::Seq;
using core::StreamId;
using ports::RelayEventKind;

std::optional<ports::Bytes> view(const std::optional<ByteString>& bytes) {
  if (!bytes) return std::nullopt;
  return ports::Bytes{*bytes};
}

class SimRowBatch final : public ports::RowBatch {
 public:
  explicit SimRowBatch(std::vector<StoredRow> stored) : stored_{std::move(stored)} {
    for (const StoredRow& row : stored_) {
      rows_.push_back({.seq = row.seq,
                       .topic = row.topic,
                       .key = view(row.key),
                       .payload = view(row.payload),
                       .headers = row.headers,
                       .accepted_at = row.accepted_at,
                       .spilled_at = row.spilled_at,
                       .event_time_ms = row.event_time_ms,
                       .resend = row.resend,
                       .renumbered_from = row.renumbered_from,
                       .send_alone = row.attempts >= 2 || row.renumbered_from.value != 0});
    }
  }
  [[nodiscard]] std::span<const ports::RelayRow> rows() const noexcept override { return rows_; }

 private:
  std::vector<StoredRow> stored_;
  std::vector<ports::RelayRow> rows_;
};

std::size_t bytes_of_row(const StoredRow& row) noexcept {
  return row.headers.size() + (row.key ? row.key->size() : 0) +
         (row.payload ? row.payload->size() : 0);
}

/// What the former holder may have sent.
void mark_started(StreamTables& tables) {
  for (auto& [seq, row] : tables.outbox) {
    if (seq <= tables.relayed_through || seq > tables.started_through) continue;
    ++row.attempts;
    if (row.resend == core::ResendCause::none) row.resend = core::ResendCause::lease;
  }
}

void adopt(SimDatabase& database, StreamId id, StreamTables& tables, Instant now) {
  for (auto& [seq, row] : tables.outbox) {
    if (!row.held) continue;
    row.held = false;
    row.resend = core::ResendCause::recovery;
  }
  database.trace().note({now, EventKind::adopted, id, {}, tables.held_through});
  tables.held_through = {};
}

/// One scan, as it runs on the server.
class Scan {
 public:
  Scan(SimDatabase& database, SessionId session, Instant now, const SimRelaySettings& settings,
       SimRelayStore::Answer& answer)
      : database_{database}, session_{session}, now_{now}, settings_{settings}, answer_{answer} {}

  void run() {
    answer_.leased.clear();
    answer_.adopted = 0;
    for (auto& [id, tables] : database_.streams()) {
      const bool owner_is_dead = is_owner_dead(id.instance);
      if (tables.written_through <= tables.relayed_through) continue;
      const bool is_held = tables.held_through.value != 0;
      if (is_held && !owner_is_dead) continue;
      if (!database_.try_lock(lease_lock(id), session_)) continue;
      const bool is_new =
          std::exchange(tables.holder, settings_.actor.value) != settings_.actor.value;
      if (is_new) {
        mark_started(tables);
        database_.trace().note({now_, EventKind::leased, id, {}, {session_.value}});
      }
      if (is_held) {
        adopt(database_, id, tables, now_);
        ++answer_.adopted;
      }
      answer_.leased.push_back({id, tables.written_through, tables.relayed_through, is_new});
    }
  }

 private:
  bool is_owner_dead(core::InstanceId instance) {
    if (database_.holder(owner_lock(instance))) {
      answer_.free_since.erase(instance);
      return false;
    }
    const Instant since = answer_.free_since.try_emplace(instance, now_).first->second;
    return now_ - since >= settings_.owner_grace;
  }

  SimDatabase& database_;
  SessionId session_;
  Instant now_;
  const SimRelaySettings& settings_;
  SimRelayStore::Answer& answer_;
};

}  // namespace

SimRelayStore::SimRelayStore(World& world, const SimRelaySettings& settings)
    : world_{world},
      settings_{settings},
      session_{world,
               settings.actor,
               {.body = [](SimDatabase&, SessionId, Instant) -> const char* { return nullptr; }},
               settings.lease_timeout} {
  world_.attach(*this);
}

SimRelayStore::~SimRelayStore() {
  world_.detach(*this);
}

ports::RelayEvent SimRelayStore::poll(Instant now) noexcept {
  ports::RelayEvent event;
  switch (session_.poll(now)) {
    case SessionEvent::none:
      return event;
    case SessionEvent::connected:
      event.kind = RelayEventKind::connected;
      return event;
    case SessionEvent::lost:
      event.kind = RelayEventKind::lost;
      event.error = "connection lost";
      return event;
    case SessionEvent::passing_error:
    case SessionEvent::permanent_error:
      event.kind = RelayEventKind::failed;
      event.error = session_.error();
      return event;
    case SessionEvent::done:
      event.kind = std::exchange(asked_, RelayEventKind::none);
      if (event.kind == RelayEventKind::scanned) {
        event.streams = answer_->leased;
        event.adopted = answer_->adopted;
      }
      if (event.kind == RelayEventKind::rows) {
        event.batch = std::make_shared<SimRowBatch>(std::move(answer_->rows));
      }
      return event;
  }
  core::die("not a SessionEvent");
}

// One that is left in limbo may still write to the old one.
void SimRelayStore::renew_answer() {
  auto renewed = std::make_shared<Answer>();
  renewed->free_since = answer_->free_since;
  answer_ = std::move(renewed);
}

void SimRelayStore::scan(Instant /*now*/) {
  asked_ = RelayEventKind::scanned;
  renew_answer();
  session_.start(
      {.body = [answer = answer_, settings = settings_](SimDatabase& database, SessionId session,
                                                        Instant now) -> const char* {
         Scan{database, session, now, settings, *answer}.run();
         return nullptr;
       },
       .durability = Durability::synchronous});
}

void SimRelayStore::read(StreamId stream, Seq after, std::size_t rows_max, std::size_t bytes_max) {
  asked_ = RelayEventKind::rows;
  renew_answer();
  session_.start(
      {.body = [answer = answer_, stream, after, rows_max, bytes_max](
                   SimDatabase& database, SessionId session, Instant now) -> const char* {
         SPILLWAY_CHECK(database.holder(lease_lock(stream)) == session);
         StreamTables& tables = database.tables(stream);
         answer->rows.clear();
         std::size_t bytes = 0;
         auto at = tables.outbox.upper_bound(after);
         for (; at != tables.outbox.end() && answer->rows.size() < rows_max; ++at) {
           if (at->second.held || bytes >= bytes_max) break;
           bytes += bytes_of_row(at->second);
           answer->rows.push_back(at->second);
         }
         if (answer->rows.empty()) return nullptr;
         const Seq last = answer->rows.back().seq;
         tables.started_through = std::max(tables.started_through, last);
         database.trace().note({now, EventKind::rows_read, stream, answer->rows.front().seq, last});
         return nullptr;
       },
       .durability = Durability::synchronous});
}

void SimRelayStore::finish(StreamId stream, Seq from, Seq through,
                           std::span<const ports::RelayDeadLetter> dead) {
  asked_ = RelayEventKind::finished;
  struct Buried {
    std::string error;
    core::ResendCause resend = core::ResendCause::none;
  };
  std::map<Seq, Buried> letters;
  for (const ports::RelayDeadLetter& letter : dead)
    letters.emplace(letter.seq, Buried{letter.error, letter.resend});
  session_.start(
      {.body = [letters = std::move(letters), stream, from, through](
                   SimDatabase& database, SessionId session, Instant now) -> const char* {
         SPILLWAY_CHECK(database.holder(lease_lock(stream)) == session);
         database.remember(stream, now);
         StreamTables& tables = database.tables(stream);
         const auto first = tables.outbox.upper_bound(from);
         const auto last = tables.outbox.upper_bound(through);
         for (auto at = first; at != last; ++at) {
           const auto letter = letters.find(at->first);
           if (letter == letters.end()) continue;
           StoredLetter stored{at->second, letter->second.error};
           if (letter->second.resend != core::ResendCause::none)
             stored.row.resend = letter->second.resend;
           tables.dead_letters.try_emplace(at->first, std::move(stored));
           database.trace().note({now, EventKind::buried, stream, at->first, at->first});
         }
         tables.outbox.erase(first, last);
         tables.relayed_through = std::max(tables.relayed_through, through);
         database.trace().note({now, EventKind::removed, stream, from, through});
         return nullptr;
       },
       .durability = Durability::asynchronous});
}

void SimRelayStore::give_up(StreamId stream) {
  asked_ = RelayEventKind::given_up;
  session_.start(
      {.body = [stream](SimDatabase& database, SessionId session, Instant) -> const char* {
        database.unlock(lease_lock(stream), session);
        return nullptr;
      }});
}

}  // namespace spillway::sim
