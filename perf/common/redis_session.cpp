#include "perf/common/redis_session.hpp"

#include <charconv>
#include <string_view>

#include "tools/spillway/command.hpp"

namespace spillway::perf {
namespace {

using program::CommandError;
using program::ExitCode;
using Reply = std::unique_ptr<redisReply, RedisReleasedBy<freeReplyObject>>;

constexpr std::string_view scheme = "redis://";

}  // namespace

RedisSession::RedisSession(const std::string& url) {
  const std::size_t colon = url.rfind(':');
  const bool is_plain =
      url.starts_with(scheme) && colon > scheme.size() && url.find('@') == std::string::npos;
  if (!is_plain) throw CommandError{ExitCode::usage, "redis.url has to be redis://host:port here"};
  int port = 0;
  std::from_chars(url.data() + colon + 1, url.data() + url.size(), port);
  context_.reset(redisConnect(url.substr(scheme.size(), colon - scheme.size()).c_str(), port));
  if (!context_ || context_->err != 0) {
    throw CommandError{ExitCode::unusable,
                       std::string{"redis: "} + (context_ ? context_->errstr : "no memory")};
  }
}

void RedisSession::push(const std::string& list) {
  require_answer(redisCommand(context_.get(), "LPUSH %s 1", list.c_str()));
}

void RedisSession::pop(const std::string& list) {
  require_answer(redisCommand(context_.get(), "BLPOP %s 20", list.c_str()));
}

void RedisSession::require_answer(void* reply) const {
  const Reply answer{static_cast<redisReply*>(reply)};
  if (answer && answer->type != REDIS_REPLY_ERROR) return;
  throw CommandError{ExitCode::unusable,
                     std::string{"redis: "} + (answer ? answer->str : context_->errstr)};
}

}  // namespace spillway::perf
