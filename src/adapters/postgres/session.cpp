#include "adapters/postgres/session.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <random>
#include <utility>
#include <vector>

#include <poll.h>

#include "adapters/postgres/error_kinds.hpp"
#include "core/check.hpp"

namespace spillway::postgres {
namespace {

using namespace std::chrono_literals;

constexpr core::Duration backoff_first = 50ms;
constexpr core::Duration backoff_last = 2s;
// An idle connection is looked at so often: a system call in each step would be waste.
constexpr core::Duration idle_look_every = 10ms;
// Of 16 KiB: a step stays bounded.
constexpr int pieces_at_once = 64;
// libpq copies what it is given into a buffer of its own, which never shrinks.
constexpr std::size_t copy_chunk_bytes = std::size_t{256} << 10U;

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

bool is_ready(int socket, PostgresPollingStatusType wanted) {
  pollfd entry{.fd = socket, .events = 0, .revents = 0};
  entry.events = wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT;
  return ::poll(&entry, 1, 0) > 0;
}

std::string why_not_connected(PGconn* connection) {
  std::string why = on_one_line(PQerrorMessage(connection));
  if (PQconnectionNeedsPassword(connection) == 1) {
    why += "; it wants a password: set postgres.password_file";
  } else if (PQconnectionUsedPassword(connection) == 1) {
    why += "; see postgres.password_file";
  }
  return why;
}

// libpq prints notices to standard error unless told otherwise.
void ignore_notice(void* /*unused*/, const PGresult* /*unused*/) {}

}  // namespace

Session::Session(const SessionSettings& settings, ports::Log& log)
    : parameters_{connect_parameters(settings.conninfo, settings.password,
                                     settings.application_name)},
      connect_within_{settings.connect_within},
      reply_within_{settings.reply_within},
      trouble_{log},
      backoff_{backoff_first, backoff_last, random_seed()} {}

SessionEvent Session::poll(core::Instant now) {
  if (state_ == State::waiting && now >= due_at_) begin_connect(now);
  switch (state_) {
    case State::waiting:
      return SessionEvent::none;
    case State::connecting:
      return continue_connect(now);
    case State::open:
      return busy_ ? continue_exchange(now) : watch_idle(now);
  }
  core::die("not a Session::State");
}

pollfd Session::awaited() const noexcept {
  pollfd socket{.fd = -1, .events = POLLIN, .revents = 0};
  if (state_ == State::open && busy_) {
    socket.fd = PQsocket(connection_.get());
    // While it copies there is more to send, even if the socket took all it was given so far.
    if (unsent_ || copying_) socket.events |= POLLOUT;
  }
  return socket;
}

void Session::begin_connect(core::Instant now) {
  connection_ = start_connection(parameters_);
  SPILLWAY_CHECK(connection_ != nullptr);  // null: no memory
  PQsetNoticeReceiver(connection_.get(), ignore_notice, nullptr);
  state_ = State::connecting;
  connecting_for_ = PGRES_POLLING_WRITING;  // As PQconnectPoll's documentation asks.
  due_at_ = now + connect_within_;
}

SessionEvent Session::continue_connect(core::Instant now) {
  // A failed PQconnectStart says so when it is polled, and has no socket to wait for.
  while (PQstatus(connection_.get()) == CONNECTION_BAD ||
         is_ready(PQsocket(connection_.get()), connecting_for_)) {
    connecting_for_ = PQconnectPoll(connection_.get());
    if (connecting_for_ == PGRES_POLLING_FAILED) {
      drop(why_not_connected(connection_.get()), now);
      return SessionEvent::none;
    }
    if (connecting_for_ != PGRES_POLLING_OK) continue;
    if (PQsetnonblocking(connection_.get(), 1) != 0) {
      drop(PQerrorMessage(connection_.get()), now);
      return SessionEvent::none;
    }
    state_ = State::open;
    opened_at_ = now;
    due_at_ = now;
    return SessionEvent::opened;
  }
  if (now >= due_at_) drop("no connection within the time allowed", now);
  return SessionEvent::none;
}

SessionEvent Session::watch_idle(core::Instant now) {
  if (now < due_at_) return SessionEvent::none;
  due_at_ = now + idle_look_every;
  if (PQconsumeInput(connection_.get()) == 1 && PQstatus(connection_.get()) == CONNECTION_OK) {
    return SessionEvent::none;
  }
  return closed(PQerrorMessage(connection_.get()), now);
}

SessionEvent Session::continue_exchange(core::Instant now) {
  if (!reply_clock_runs_) {
    reply_clock_runs_ = true;
    reply_due_at_ = now + reply_within_;
  }
  if (copying_) feed_copy(now);
  // libpq reads 16 KiB at a time: a large answer is read as far as it has come, or each piece would
  // cost the caller a nap.
  for (int piece = 0; piece < pieces_at_once; ++piece) {
    if (!flush() || PQconsumeInput(connection_.get()) == 0 ||
        PQstatus(connection_.get()) == CONNECTION_BAD) {
      return closed(error_ ? describe(error_.get()) : PQerrorMessage(connection_.get()), now);
    }
    if (take_results(now)) {
      busy_ = false;
      due_at_ = now + idle_look_every;
      return SessionEvent::answered;
    }
    pollfd more{.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
    if (::poll(&more, 1, 0) <= 0) break;
  }
  if (now < reply_due_at_) return SessionEvent::none;
  return closed("no answer within the time allowed; the server may be hung", now);
}

// True when the exchange is complete.
bool Session::take_results(core::Instant now) {
  while (!copying_ && PQisBusy(connection_.get()) == 0) {
    Result result{PQgetResult(connection_.get())};
    if (!result) return true;
    reply_due_at_ = now + reply_within_;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_TUPLES_OK) {
      rows_ = std::move(result);
    } else if (status == PGRES_COPY_IN) {
      copying_ = true;
      feed_copy(now);
    } else if (status != PGRES_COMMAND_OK && !error_) {
      error_ = std::move(result);
    }
  }
  return false;
}

void Session::feed_copy(core::Instant now) {
  while (!copy_rest_.empty()) {
    if (!flush() || unsent_) return;  // The socket is broken, or full: the caller looks.
    const std::span chunk = copy_rest_.first(std::min(copy_chunk_bytes, copy_rest_.size()));
    // Bytes may be looked at as characters.
    if (PQputCopyData(connection_.get(), reinterpret_cast<const char*>(chunk.data()),
                      static_cast<int>(chunk.size())) != 1) {
      unsent_ = true;
      return;
    }
    copy_rest_ = copy_rest_.subspan(chunk.size());
    reply_due_at_ = now + reply_within_;
  }
  if (PQputCopyEnd(connection_.get(), nullptr) == 1) copying_ = false;
  static_cast<void>(flush());
}

// False: the connection is broken.
bool Session::flush() {
  const int left = PQflush(connection_.get());
  unsent_ = left > 0;
  return left >= 0;
}

void Session::begin_exchange(int sent) {
  busy_ = true;
  reply_clock_runs_ = false;
  copying_ = false;
  rows_.reset();
  error_.reset();
  unsent_ = false;
  // A failure shows as a broken connection at the next poll().
  if (sent == 1) static_cast<void>(flush());
}

void Session::send(const std::string& sql) {
  SPILLWAY_CHECK(is_open() && !busy_);
  begin_exchange(PQsendQuery(connection_.get(), sql.c_str()));
}

void Session::execute(const char* name, std::span<const std::int64_t> arguments) {
  SPILLWAY_CHECK(is_open() && !busy_);
  std::vector<std::array<char, 24>> texts(arguments.size());
  std::vector<const char*> values(arguments.size());
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    char* const begin = texts[i].data();
    *std::to_chars(begin, begin + texts[i].size() - 1, arguments[i]).ptr = '\0';
    values[i] = begin;
  }
  constexpr int binary = 1;
  begin_exchange(PQsendQueryPrepared(connection_.get(), name, static_cast<int>(values.size()),
                                     values.data(), nullptr, nullptr, binary));
}

SessionEvent Session::closed(std::string_view why, core::Instant now) {
  drop(why, now);
  return SessionEvent::closed;
}

void Session::drop(std::string_view why, core::Instant now) {
  why_closed_ = on_one_line(why);
  // libpq names the server in what it says of connecting, not in what it says of a lost connection.
  trouble_.is(LogLevel::warning,
              "postgres at " + parameters_.server + ": " + why_closed_ + "; trying again");
  connection_.reset();
  // What opens and breaks again and again, without any work done, is not hammered.
  if (state_ == State::open && now - opened_at_ >= backoff_last) backoff_.reset();
  state_ = State::waiting;
  due_at_ = now + backoff_.next();
  busy_ = false;
  copying_ = false;
  rows_.reset();
  error_.reset();
}

void Session::announce() {
  trouble_.is_over("postgres at " + parameters_.server + ": connected");
}

}  // namespace spillway::postgres
