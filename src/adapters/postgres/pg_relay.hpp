// src/adapters/postgres/pg_relay.hpp: the outbox as a relay sees it, in PostgreSQL:
// ports/relay_store.
//
//   away ──► settings ──► idle ⇄ reading, finishing, giving_up, pinging
//                          ⇅
//                        looking ──► adopting ──► looking … ──► taking ──► idle       one scan()
//
// A lease is a session's advisory lock, so it ends with the session: the server ends that of a
// relay that is stopped (idle_session_timeout, tcp_user_timeout), and this one asks for something
// every now and then.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/postgres/relay_sql.hpp"
#include "adapters/postgres/session.hpp"
#include "core/ids.hpp"
#include "core/time.hpp"
#include "ports/log.hpp"
#include "ports/relay_store.hpp"
#include "ports/trouble.hpp"

namespace spillway::postgres {

struct PgRelaySettings {
  std::string conninfo = {};
  std::string password = {};  ///< What `postgres.password_file` holds; wins over one in `conninfo`.
  HolderId holder = {};  ///< Random for each process: a relay that reconnects is still the same.
  core::Duration owner_grace = std::chrono::seconds{10};
  core::Duration lease_timeout = std::chrono::seconds{8};
  core::Duration connect_within = std::chrono::seconds{2};
  core::Duration statement_within = std::chrono::seconds{8};
  core::Duration reply_within = std::chrono::seconds{10};
};

/// @thread one at a time
class PgRelay final : public ports::RelayStore {
 public:
  /// @throws StartError when `conninfo` cannot be read
  PgRelay(PgRelaySettings settings, ports::Log& log);

  [[nodiscard]] ports::RelayEvent poll(core::Instant now) noexcept override;
  [[nodiscard]] bool is_idle() const noexcept override { return phase_ == Phase::idle; }
  /// What poll() has to wait for while a request is under way. Descriptor -1: for time to pass.
  [[nodiscard]] pollfd awaited() const noexcept { return session_.awaited(); }

  void scan(core::Instant now) override;
  void read(core::StreamId stream, core::Seq after, std::size_t rows_max,
            std::size_t bytes_max) override;
  void finish(core::StreamId stream, core::Seq from, core::Seq through,
              std::span<const ports::RelayDeadLetter> dead) override;
  void give_up(core::StreamId stream) override;

 private:
  // In order: from idle on, the caller was told `connected`.
  enum class Phase : std::uint8_t {
    away,
    settings,
    idle,
    looking,
    adopting,
    taking,
    reading,
    finishing,
    giving_up,
    pinging,
  };

  ports::RelayEvent on_closed();
  ports::RelayEvent on_answer(core::Instant now);
  ports::RelayEvent on_error(core::Instant now);
  ports::RelayEvent on_settings(core::Instant now);
  ports::RelayEvent on_look(core::Instant now);
  ports::RelayEvent on_taken();
  ports::RelayEvent on_finished(core::Instant now);
  ports::RelayEvent scanned();
  void look();
  bool adopt_one();
  void note_owners(const std::set<std::uint64_t>& away);
  void send(Phase phase, const std::string& sql);
  void ping_when_quiet(core::Instant now);

  PgRelaySettings settings_;
  Session session_;
  ports::Trouble trouble_;
  Phase phase_ = Phase::away;
  core::Instant last_answer_at_{};

  std::set<core::StreamId> leases_;
  core::StreamId giving_up_;
  std::unordered_map<std::uint64_t, core::Instant> owner_away_since_;  // by instance

  // Of the scan under way.
  core::Instant scan_at_{};
  std::uint32_t adopted_ = 0;
  std::vector<core::InstanceId> orphans_;
  std::vector<core::StreamId> taking_;
  std::vector<ports::LeasedStream> streams_;
  std::string error_;
};

}  // namespace spillway::postgres
