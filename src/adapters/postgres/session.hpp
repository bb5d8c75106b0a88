// src/adapters/postgres/session.hpp: one libpq connection that never blocks and comes back by
// itself.
//
//   waiting ──► connecting ──► open ──► waiting …        backoff 50 ms to 2 s, with jitter
//
// An exchange is one message to the server and everything it answers, up to ReadyForQuery: only
// then has the transaction been committed. Which statements to send, and what a failure means for
// whoever sent them, is not known here: see pg_outbox.cpp and pg_relay.cpp. One thing blocks: libpq
// looks names up inside PQconnectPoll. `hostaddr` avoids it.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <poll.h>

#include "adapters/postgres/conninfo.hpp"
#include "adapters/postgres/handles.hpp"
#include "core/backoff.hpp"
#include "core/time.hpp"
#include "ports/log.hpp"
#include "ports/trouble.hpp"

namespace spillway::postgres {

struct SessionSettings {
  std::string conninfo = {};
  std::string password = {};  ///< What `postgres.password_file` holds; wins over one in `conninfo`.
  std::string application_name = {};
  core::Duration connect_within = std::chrono::seconds{2};
  /// A server that says nothing for so long is hung; PQexec would wait for ever.
  core::Duration reply_within = std::chrono::seconds{10};
};

enum class SessionEvent : std::uint8_t {
  none,
  opened,
  answered,  ///< The exchange is complete: see error() and rows().
  closed,    ///< It was open: see why_closed(). What was under way is in doubt.
};

/// @thread one at a time
class Session {
 public:
  /// Connects with the first poll(). @throws StartError when `conninfo` cannot be read
  Session(const SessionSettings& settings, ports::Log& log);

  [[nodiscard]] SessionEvent poll(core::Instant now);
  /// What the next poll() has to wait for. Descriptor -1: only for time to pass.
  [[nodiscard]] pollfd awaited() const noexcept;

  [[nodiscard]] bool is_open() const noexcept { return state_ == State::open; }
  [[nodiscard]] bool is_busy() const noexcept { return busy_; }

  /// Starts an exchange: one Query message, which may hold several statements (one transaction).
  void send(const std::string& sql);
  /// For the COPY ... FROM STDIN that is the last statement of what was just sent, which the server
  /// works on meanwhile. `data` lives until it is answered.
  void supply(std::span<const std::byte> data) noexcept { copy_rest_ = data; }
  /// Executes what was PREPAREd under `name`; the rows come in binary.
  void execute(const char* name, std::span<const std::int64_t> arguments);

  /// Of the last exchange; null if it worked.
  [[nodiscard]] const PGresult* error() const noexcept { return error_.get(); }
  /// The last rows of the last exchange; null if there were none.
  [[nodiscard]] const PGresult* rows() const noexcept { return rows_.get(); }
  [[nodiscard]] Result take_rows() noexcept { return std::move(rows_); }

  /// Ends the connection and comes back later. poll() does not report this one.
  void drop(std::string_view why, core::Instant now);

  /// The caller can work with this connection: says so if there was trouble.
  void announce();
  /// Work was done on it: should it break, the next one is tried soon.
  void reset_backoff() noexcept { backoff_.reset(); }

  [[nodiscard]] std::string_view why_closed() const noexcept { return why_closed_; }
  [[nodiscard]] const std::string& server() const noexcept { return parameters_.server; }

 private:
  enum class State : std::uint8_t { waiting, connecting, open };

  void begin_connect(core::Instant now);
  SessionEvent continue_connect(core::Instant now);
  SessionEvent continue_exchange(core::Instant now);
  SessionEvent watch_idle(core::Instant now);
  bool take_results(core::Instant now);
  void feed_copy(core::Instant now);
  bool flush();
  void begin_exchange(int sent);
  SessionEvent closed(std::string_view why, core::Instant now);

  ConnectParameters parameters_;
  core::Duration connect_within_;
  core::Duration reply_within_;
  ports::Trouble trouble_;
  core::Backoff backoff_;

  State state_ = State::waiting;
  Connection connection_;
  PostgresPollingStatusType connecting_for_ = PGRES_POLLING_WRITING;
  core::Instant opened_at_{};
  core::Instant due_at_{};  // waiting: try then; connecting: give up then; idle: look then
  core::Instant reply_due_at_{};
  bool reply_clock_runs_ = false;  // it starts with the first poll() after the exchange does
  bool busy_ = false;
  bool copying_ = false;
  bool unsent_ = false;  // the socket was full
  std::span<const std::byte> copy_rest_;
  Result rows_;
  Result error_;
  std::string why_closed_;
};

}  // namespace spillway::postgres
