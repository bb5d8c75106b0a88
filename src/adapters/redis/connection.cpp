#include "adapters/redis/connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <random>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace spillway::redis {
namespace {

using namespace std::chrono_literals;

constexpr core::Duration backoff_first = 50ms;
constexpr core::Duration backoff_last = 2s;
constexpr core::Duration greeted_within = 2s;
constexpr std::size_t receive_chunk_bytes = 4'096;
constexpr int keepalive_idle_s = 5;
constexpr int keepalive_interval_s = 2;
constexpr int keepalive_count = 3;
constexpr int user_timeout_ms = 5'000;

struct Hint {
  std::string_view prefix;
  std::string_view text;
};
constexpr std::array hints{
    Hint{"NOAUTH", "; set redis.password_file"},
    Hint{"WRONGPASS", "; see redis.url and redis.password_file"},
    Hint{"NOPERM", "; the user needs LPUSH and LTRIM (writer) or BLPOP (relay), and PING"},
    Hint{"READONLY", "; this is a replica: name the primary in redis.url"},
    Hint{"WRONGTYPE", "; another program uses this key: choose redis.list"},
    Hint{"OOM", "; Redis is at its maxmemory"},
};

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

std::string text_of(int error) {
  return std::generic_category().message(error);
}

// A vanished host is noticed although a BLPOP may be silent for long. Refused on Unix sockets,
// which do not need it.
void watch_peer(int socket) {
  const auto set = [socket](int level, int option, int value) {
    ::setsockopt(socket, level, option, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, keepalive_idle_s);
  set(IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval_s);
  set(IPPROTO_TCP, TCP_KEEPCNT, keepalive_count);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms);
}

}  // namespace

std::string described(std::string_view error) {
  const auto* const hint =
      std::ranges::find_if(hints, [&](const Hint& each) { return error.starts_with(each.prefix); });
  std::string text{error};
  if (hint != hints.end()) text += hint->text;
  return text;
}

Connection::Connection(RedisAddress address, ports::Log& log)
    : address_{std::move(address)},
      trouble_{log},
      backoff_{backoff_first, backoff_last, random_seed()} {}

ConnectionEvent Connection::poll(core::Instant now) {
  if (state_ == State::waiting && now >= due_at_) begin_connect(now);
  if (state_ == State::connecting) continue_connect(now);
  if (state_ == State::waiting || state_ == State::connecting) return ConnectionEvent::none;

  send_unsent();
  if (!receive()) {
    const bool was_up = is_up();
    drop(why_broken_, now);
    return was_up ? ConnectionEvent::lost : ConnectionEvent::none;
  }
  return state_ == State::greeting ? continue_greeting(now) : ConnectionEvent::none;
}

void Connection::begin_connect(core::Instant now) {
  context_.reset(address_.unix_path.empty()
                     ? redisConnectNonBlock(address_.host.c_str(), address_.port)
                     : redisConnectUnixNonBlock(address_.unix_path.c_str()));
  if (!context_ || context_->err != 0) {
    drop(context_ ? &context_->errstr[0] : "no memory", now);
    return;
  }
  state_ = State::connecting;
  due_at_ = now + greeted_within;
}

void Connection::continue_connect(core::Instant now) {
  pollfd entry{.fd = context_->fd, .events = POLLOUT, .revents = 0};
  if (::poll(&entry, 1, 0) <= 0) {
    if (now >= due_at_) drop("no connection within the time allowed", now);
    return;
  }
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(context_->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) {
    drop(text_of(error), now);
    return;
  }
  watch_peer(context_->fd);
  state_ = State::greeting;
  greet();
}

// PING last: a server that accepts connections but does not answer is not up.
void Connection::greet() {
  greetings_owed_ = 1;
  if (!address_.password.empty()) {
    ++greetings_owed_;
    if (address_.user.empty()) {
      send({"AUTH", address_.password});
    } else {
      send({"AUTH", address_.user, address_.password});
    }
  }
  if (address_.database != 0) {
    ++greetings_owed_;
    send({"SELECT", std::to_string(address_.database)});
  }
  send({"PING"});
}

ConnectionEvent Connection::continue_greeting(core::Instant now) {
  while (greetings_owed_ > 0) {
    const Reply reply = next_reply();
    if (!reply) {
      if (broken_ || now >= due_at_) drop(broken_ ? why_broken_ : "it does not answer", now);
      return ConnectionEvent::none;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
      drop(described({reply->str, reply->len}), now);
      return ConnectionEvent::none;
    }
    --greetings_owed_;
  }
  state_ = State::up;
  trouble_.is_over("redis at " + server() + ": connected");
  return ConnectionEvent::opened;
}

void Connection::send(std::initializer_list<std::string_view> command) {
  unsent_ += "*" + std::to_string(command.size()) + "\r\n";
  for (const std::string_view word : command) {
    unsent_ += "$" + std::to_string(word.size()) + "\r\n";
    unsent_ += word;
    unsent_ += "\r\n";
  }
  send_unsent();
}

// A failure shows when the socket is read.
void Connection::send_unsent() noexcept {
  while (!unsent_.empty()) {
    const ssize_t sent =
        ::send(context_->fd, unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) return;
    unsent_.erase(0, static_cast<std::size_t>(sent));
  }
}

// False: the connection is broken.
bool Connection::receive() {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): recv fills it.
  std::array<char, receive_chunk_bytes> chunk;
  while (!broken_) {
    const ssize_t received = ::recv(context_->fd, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (received > 0) {
      if (redisReaderFeed(context_->reader, chunk.data(), static_cast<std::size_t>(received)) !=
          REDIS_OK) {
        broken_ = true;
        why_broken_ = &context_->reader->errstr[0];
      }
      if (static_cast<std::size_t>(received) < chunk.size()) return !broken_;
    } else if (received < 0 && (errno == EAGAIN || errno == EINTR)) {
      return true;
    } else {
      broken_ = true;
      why_broken_ = received == 0 ? "it closed the connection" : text_of(errno);
    }
  }
  return false;
}

Reply Connection::next_reply() {
  if (!context_ || broken_) return nullptr;
  void* reply = nullptr;
  if (redisReaderGetReply(context_->reader, &reply) != REDIS_OK) {
    broken_ = true;
    why_broken_ = &context_->reader->errstr[0];
    return nullptr;
  }
  return Reply{static_cast<redisReply*>(reply)};
}

void Connection::drop(std::string_view why, core::Instant now) {
  // `why` may lie in what is released below.
  trouble_.is(LogLevel::warning,
              "redis at " + server() + ": " + std::string{why} + "; trying again");
  context_.reset();
  unsent_.clear();
  broken_ = false;
  why_broken_.clear();
  state_ = State::waiting;
  due_at_ = now + backoff_.next();
}

}  // namespace spillway::redis
