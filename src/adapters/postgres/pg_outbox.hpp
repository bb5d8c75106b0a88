// src/adapters/postgres/pg_outbox.hpp: the outbox of one instance, in PostgreSQL:
// ports/outbox_store.
//
//   away ──► settings ──► lock ──► streams ──► idle ⇄ request      each arrow is one exchange
//                        ▲    │
//                        └ end_owner: an older session of this instance is still there
//
// A connection that breaks under COMMIT leaves a backend that may still commit. So the new session
// takes the instance's lock before it reads `written_through`: the lock is free only once that
// backend is gone.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/postgres/copy_binary.hpp"
#include "adapters/postgres/session.hpp"
#include "core/ids.hpp"
#include "core/time.hpp"
#include "ports/log.hpp"
#include "ports/outbox_store.hpp"
#include "ports/trouble.hpp"

namespace spillway::postgres {

struct PgOutboxSettings {
  std::string conninfo = {};
  std::string password = {};  ///< What `postgres.password_file` holds; wins over one in `conninfo`.
  core::InstanceId instance = {};
  core::Duration connect_within = std::chrono::seconds{2};
  /// The server cancels a statement after this: surely without effect.
  core::Duration statement_within = std::chrono::seconds{8};
  /// After this the server counts as hung, and what was under way is in doubt. Above
  /// statement_within.
  core::Duration reply_within = std::chrono::seconds{10};
};

/// @thread one at a time
class PgOutbox final : public ports::OutboxStore {
 public:
  /// @throws StartError when `conninfo` cannot be read
  PgOutbox(PgOutboxSettings settings, ports::Log& log);

  [[nodiscard]] ports::StoreEvent poll(core::Instant now) noexcept override;
  [[nodiscard]] bool is_idle() const noexcept override { return phase_ == Phase::idle; }
  /// What poll() has to wait for while a transaction is under way. Descriptor -1: for time to pass.
  [[nodiscard]] pollfd awaited() const noexcept { return session_.awaited(); }

  void write_rows(core::LaneIndex lane, std::span<const ports::OutboxRow> rows) override;
  void write_dead_letters(core::LaneIndex lane,
                          std::span<const ports::DeadLetterRow> letters) override;
  void release(core::LaneIndex lane, core::Seq held_through,
               std::span<const ports::Unfinished> unfinished) override;
  void release_unknown(core::LaneIndex lane) override;
  void read_progress() override;

 private:
  // In order: from idle on, the caller was told `connected`.
  enum class Phase : std::uint8_t {
    away,
    settings,
    lock,
    lock_wait,
    end_owner,
    streams,
    idle,
    writing,
    reading_progress,
  };

  ports::StoreEvent on_closed();
  ports::StoreEvent on_answer(core::Instant now);
  ports::StoreEvent on_transaction_failed(core::Instant now);
  void on_lock_answer(core::Instant now);
  void on_owner_ended(core::Instant now);
  void try_lock();
  void wait_for_lock(core::Duration delay, core::Instant now);
  void send(Phase phase, const std::string& sql);
  std::span<const ports::StreamState> read_streams();
  [[nodiscard]] core::StreamId stream(core::LaneIndex lane) const noexcept;

  PgOutboxSettings settings_;
  Session session_;
  ports::Trouble trouble_;
  Phase phase_ = Phase::away;
  unsigned lock_refusals_ = 0;
  core::Instant lock_due_at_{};
  CopyEncoder encoder_;
  std::vector<ports::StreamState> streams_;
  std::string error_;
};

}  // namespace spillway::postgres
