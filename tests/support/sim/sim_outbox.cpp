#include "support/sim/sim_outbox.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"

namespace spillway::sim {
namespace {

using core::InstanceId;
using core::LaneIndex;
using core::Seq;
using core::StreamId;
using ports::StoreEventKind;

std::optional<ByteString> own(const std::optional<ports::Bytes>& bytes) {
  if (!bytes) return std::nullopt;
  return ByteString{bytes->begin(), bytes->end()};
}

StoredRow own(const ports::OutboxRow& row) {
  return {.seq = row.seq,
          .topic = std::string{row.topic},
          .key = own(row.key),
          .payload = own(row.payload),
          .headers = {row.headers.begin(), row.headers.end()},
          .accepted_at = row.accepted_at,
          .spilled_at = {},
          .event_time_ms = row.event_time_ms,
          .held = row.held,
          .resend = row.resend,
          .renumbered_from = row.renumbered_from};
}

std::vector<ports::StreamState> streams_of(SimDatabase& database, InstanceId instance) {
  std::vector<ports::StreamState> states;
  auto at = database.streams().lower_bound(StreamId{instance, {}});
  for (; at != database.streams().end() && at->first.instance == instance; ++at) {
    const StreamTables& tables = at->second;
    states.push_back({.lane = at->first.lane,
                      .written_through = tables.written_through,
                      .held_through = tables.held_through,
                      .relayed_through = tables.relayed_through});
  }
  return states;
}

void bury(SimDatabase& database, StreamId stream, StoredRow row, const std::string& error,
          Instant now) {
  const Seq seq = row.seq;
  const bool is_new = database.tables(stream)
                          .dead_letters.try_emplace(seq, StoredLetter{std::move(row), error})
                          .second;
  if (is_new) database.trace().note({now, EventKind::buried, stream, seq, seq});
}

const char* insert_rows(SimDatabase& database, StreamId stream, const std::vector<StoredRow>& rows,
                        Instant now) {
  StreamTables& tables = database.tables(stream);
  for (const StoredRow& row : rows) {
    if (!tables.outbox.contains(row.seq)) continue;
    database.note_duplicate_key();
    return "duplicate key value violates unique constraint \"outbox_pkey\"";
  }
  for (const StoredRow& row : rows) {
    StoredRow& stored = tables.outbox.emplace(row.seq, row).first->second;
    stored.spilled_at = database.unix_time(now);
    if (row.held) tables.held_through = std::max(tables.held_through, row.seq);
  }
  tables.written_through = std::max(tables.written_through, rows.back().seq);
  database.trace().note({now, EventKind::committed, stream, rows.front().seq, rows.back().seq});
  return nullptr;
}

struct OwnedUnfinished {
  Seq seq;
  core::ResendCause resend = core::ResendCause::none;
  std::optional<std::string> error;
};

void resolve(SimDatabase& database, StreamId stream, const OwnedUnfinished& unfinished,
             Instant now) {
  StreamTables& tables = database.tables(stream);
  const auto found = tables.outbox.find(unfinished.seq);
  if (found == tables.outbox.end() || !found->second.held) return;
  found->second.held = false;
  if (!unfinished.error) {
    found->second.resend = unfinished.resend;
    return;
  }
  bury(database, stream, std::move(found->second), *unfinished.error, now);
  tables.outbox.erase(found);
}

}  // namespace

SimOutbox::SimOutbox(World& world, ActorId actor, InstanceId instance)
    : world_{world},
      instance_{instance},
      session_{world,
               actor,
               {.body = [instance, answer = greeting_](SimDatabase& database, SessionId session,
                                                       Instant now) -> const char* {
                 const auto older = database.holder(owner_lock(instance));
                 if (older) database.end_session(*older, now);
                 SPILLWAY_CHECK(database.try_lock(owner_lock(instance), session));
                 answer->streams = streams_of(database, instance);
                 return nullptr;
               }},
               std::nullopt} {
  world_.attach(*this);
}

SimOutbox::~SimOutbox() {
  world_.detach(*this);
}

ports::StoreEvent SimOutbox::poll(Instant now) noexcept {
  switch (session_.poll(now)) {
    case SessionEvent::none:
      return {};
    case SessionEvent::connected:
      return {.kind = StoreEventKind::connected, .streams = greeting_->streams, .error = {}};
    case SessionEvent::lost:
      is_reading_ = false;
      return {.kind = StoreEventKind::lost, .streams = {}, .error = "connection lost"};
    case SessionEvent::done:
      if (std::exchange(is_reading_, false)) {
        return {.kind = StoreEventKind::progress, .streams = answer_->streams, .error = {}};
      }
      return {.kind = StoreEventKind::committed, .streams = {}, .error = {}};
    case SessionEvent::passing_error:
      is_reading_ = false;
      return {.kind = StoreEventKind::retry, .streams = {}, .error = session_.error()};
    case SessionEvent::permanent_error:
      is_reading_ = false;
      return {.kind = StoreEventKind::refused, .streams = {}, .error = session_.error()};
  }
  core::die("not a SessionEvent");
}

void SimOutbox::write_rows(LaneIndex lane, std::span<const ports::OutboxRow> rows) {
  SPILLWAY_CHECK(!rows.empty());
  SPILLWAY_CHECK(std::ranges::is_sorted(rows, std::ranges::less_equal{}, &ports::OutboxRow::seq) ||
                 rows.size() == 1);
  std::vector<StoredRow> owned;
  for (const ports::OutboxRow& row : rows)
    owned.push_back(own(row));
  session_.start({.body = [owned = std::move(owned), id = stream(lane)](
                              SimDatabase& database, SessionId,
                              Instant now) { return insert_rows(database, id, owned, now); },
                  .durability = Durability::synchronous});
}

void SimOutbox::write_dead_letters(LaneIndex lane, std::span<const ports::DeadLetterRow> letters) {
  std::vector<StoredLetter> owned;
  for (const ports::DeadLetterRow& letter : letters) {
    owned.push_back({own(letter.row), std::string{letter.error}});
  }
  session_.start({.body = [owned = std::move(owned), id = stream(lane)](
                              SimDatabase& database, SessionId, Instant now) -> const char* {
                    for (const auto& [row, error] : owned)
                      bury(database, id, row, error, now);
                    return nullptr;
                  },
                  .durability = Durability::synchronous});
}

void SimOutbox::release(LaneIndex lane, Seq held_through,
                        std::span<const ports::Unfinished> unfinished) {
  std::vector<OwnedUnfinished> owned;
  for (const ports::Unfinished& one : unfinished) {
    owned.push_back({one.seq, one.resend,
                     one.dead_letter_error == nullptr
                         ? std::nullopt
                         : std::optional{std::string{one.dead_letter_error}}});
  }
  session_.start({.body = [owned = std::move(owned), id = stream(lane), held_through](
                              SimDatabase& database, SessionId, Instant now) -> const char* {
                    for (const OwnedUnfinished& one : owned)
                      resolve(database, id, one, now);
                    StreamTables& tables = database.tables(id);
                    std::erase_if(tables.outbox, [held_through](const auto& entry) {
                      return entry.second.held && entry.first <= held_through;
                    });
                    if (tables.held_through <= held_through) tables.held_through = {};
                    database.trace().note({now, EventKind::released, id, {}, held_through});
                    return nullptr;
                  },
                  .durability = Durability::synchronous});
}

void SimOutbox::release_unknown(LaneIndex lane) {
  session_.start(
      {.body = [id = stream(lane)](SimDatabase& database, SessionId, Instant now) -> const char* {
         StreamTables& tables = database.tables(id);
         for (auto& [seq, row] : tables.outbox) {
           if (row.held) row.resend = core::ResendCause::recovery;
           row.held = false;
         }
         const Seq held_through = std::exchange(tables.held_through, Seq{});
         database.trace().note({now, EventKind::released, id, {}, held_through});
         return nullptr;
       },
       .durability = Durability::synchronous});
}

void SimOutbox::read_progress() {
  is_reading_ = true;
  answer_ = std::make_shared<Answer>();  // one that is left in limbo may still write to the old one
  session_.start({.body = [answer = answer_, instance = instance_](SimDatabase& database, SessionId,
                                                                   Instant) -> const char* {
    answer->streams = streams_of(database, instance);
    return nullptr;
  }});
}

}  // namespace spillway::sim
