#include "adapters/redis/redis_wakeup.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "spillway/error.hpp"

namespace spillway::redis {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t unsent_bytes_max = std::size_t{64} << 10U;
constexpr core::Duration reply_within = 2s;
// Nothing is owed: only a closed connection can show.
constexpr core::Duration idle_look_every = 10ms;
// Renewed so often that a connection which is gone without a sign is noticed.
constexpr core::Duration ask_for = 20s;
constexpr std::string_view ask_for_s = "20";
constexpr core::Duration answer_slack = 5s;
constexpr std::size_t tokens_per_poll_max = 256;

// Null: no wakeups are wanted.
std::unique_ptr<Connection> make_connection(const RedisSettings& settings, ports::Log& log) {
  if (settings.url.empty()) return nullptr;
  const ParsedRedisUrl parsed = parse_redis_url(settings.url);
  if (!parsed.address) throw StartError{"redis.url: " + parsed.problem};
  RedisAddress address = *parsed.address;
  if (!settings.password.empty()) address.password = settings.password;
  return std::make_unique<Connection>(std::move(address), log);
}

}  // namespace

RedisSender::RedisSender(RedisSettings settings, ports::Log& log)
    : list_{std::move(settings.list)},
      list_last_{std::to_string(std::max<std::size_t>(settings.list_max, 1) - 1)},
      trouble_{log},
      connection_{make_connection(settings, log)} {}

bool RedisSender::is_up() const noexcept {
  return connection_ && connection_->is_up();
}

void RedisSender::notify() noexcept {
  if (!is_up() || connection_->unsent_bytes() > unsent_bytes_max) {
    ++dropped_;
    return;
  }
  connection_->send({"LPUSH", list_, "1"});
  connection_->send({"LTRIM", list_, "0", list_last_});
  replies_owed_ += 2;
}

void RedisSender::poll(core::Instant now) noexcept {
  if (!connection_) return;
  if (is_up() && replies_owed_ == 0) {
    answered_at_ = now;
    if (now < look_at_) return;
    look_at_ = now + idle_look_every;
  }
  if (connection_->poll(now) != ConnectionEvent::none) {
    replies_owed_ = 0;
    answered_at_ = now;
  }
  while (is_up()) {
    const Reply reply = connection_->next_reply();
    if (!reply) break;
    answered_at_ = now;
    judge(*reply, now);
  }
  if (is_up() && replies_owed_ > 0 && now - answered_at_ >= reply_within) {
    connection_->drop("it does not answer", now);
    replies_owed_ = 0;
  }
}

void RedisSender::judge(const redisReply& reply, core::Instant now) {
  if (replies_owed_ > 0) --replies_owed_;
  const std::string subject = "redis at " + connection_->server() + ": ";
  if (reply.type != REDIS_REPLY_ERROR) {
    if (replies_owed_ == 0) trouble_.is_over(subject + "tokens are taken again");
    connection_->reset_backoff();
    return;
  }
  const std::string_view error{reply.str, reply.len};
  trouble_.is(LogLevel::warning, subject + described(error));
  // Names may lead to another server by now.
  if (error.starts_with("READONLY")) {
    connection_->drop(error, now);
    replies_owed_ = 0;
  }
}

RedisReceiver::RedisReceiver(RedisSettings settings, ports::Log& log)
    : list_{std::move(settings.list)}, connection_{make_connection(settings, log)} {}

bool RedisReceiver::is_up() const noexcept {
  return connection_ && connection_->is_up();
}

int RedisReceiver::descriptor() const noexcept {
  return connection_ ? connection_->descriptor() : -1;
}

ports::Wakeups RedisReceiver::poll(core::Instant now) noexcept {
  ports::Wakeups heard;
  if (!connection_) return heard;
  if (connection_->poll(now) == ConnectionEvent::opened) {
    heard.reconnected = true;
    ask(now);
  }
  while (is_up() && heard.tokens < tokens_per_poll_max) {
    const Reply reply = connection_->next_reply();
    if (!reply) break;
    if (reply->type == REDIS_REPLY_ERROR) {
      connection_->drop(described({reply->str, reply->len}), now);
      return heard;
    }
    connection_->reset_backoff();
    if (reply->type == REDIS_REPLY_ARRAY) ++heard.tokens;
    ask(now);
  }
  if (is_up() && now >= answer_due_at_) connection_->drop("it does not answer", now);
  return heard;
}

void RedisReceiver::ask(core::Instant now) {
  answer_due_at_ = now + ask_for + answer_slack;
  connection_->send({"BLPOP", list_, ask_for_s});
}

}  // namespace spillway::redis
