// src/adapters/redis/redis_url.hpp: where Redis is: redis://[[user]:password@]host[:port][/db],
// unix:///path.
//
// User, password and path may be percent-encoded. Nothing that is said of a URL quotes it: it may
// hold a password.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spillway::redis {

struct RedisAddress {
  std::string host = {};
  std::uint16_t port = 6379;
  std::string unix_path = {};  ///< Not empty: instead of host and port.
  std::string user = {};       ///< Empty: the default one.
  std::string password = {};   ///< Empty: no AUTH.
  std::uint32_t database = 0;

  /// For people: "host:port" or the path.
  [[nodiscard]] std::string server() const;
};

struct ParsedRedisUrl {
  std::optional<RedisAddress> address;
  std::string problem;  ///< Why there is none, with the way out.
};

[[nodiscard]] ParsedRedisUrl parse_redis_url(std::string_view url);

}  // namespace spillway::redis
