// perf/common/redis_session.hpp: a blocking session with Redis, for tokens.

#pragma once

#include <memory>
#include <string>

#include <hiredis/hiredis.h>

namespace spillway::perf {

template <auto release>
struct RedisReleasedBy {
  void operator()(auto* handle) const noexcept { release(handle); }
};

/// @thread one at a time @blocks until the answer is there
class RedisSession {
 public:
  /// `redis://host:port`, without a password. @throws program::CommandError
  explicit RedisSession(const std::string& url);

  /// @throws program::CommandError
  void push(const std::string& list);
  /// Waits for a token. @throws program::CommandError
  void pop(const std::string& list);

 private:
  void require_answer(void* reply) const;

  std::unique_ptr<redisContext, RedisReleasedBy<redisFree>> context_;
};

}  // namespace spillway::perf
