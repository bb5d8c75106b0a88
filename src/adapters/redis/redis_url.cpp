#include "adapters/redis/redis_url.hpp"

#include <charconv>
#include <utility>

namespace spillway::redis {
namespace {

constexpr std::string_view form = "write redis://[user:password@]host:port[/db] or unix:///path";

ParsedRedisUrl refused(std::string_view why) {
  return {.address = std::nullopt, .problem = std::string{why} + "; " + std::string{form}};
}

template <class Number>
std::optional<Number> parse_number(std::string_view text, int base = 10) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string> decode(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    if (text.front() != '%') {
      decoded += text.front();
      text.remove_prefix(1);
      continue;
    }
    const auto code = parse_number<std::uint8_t>(text.substr(1, 2), 16);
    if (text.size() < 3 || !code) return std::nullopt;
    decoded += static_cast<char>(*code);
    text.remove_prefix(3);
  }
  return decoded;
}

// Before and after the first `mark`; without one, everything is before it.
std::pair<std::string_view, std::optional<std::string_view>> split(std::string_view text,
                                                                   char mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return {text, std::nullopt};
  return {text.substr(0, at), text.substr(at + 1)};
}

bool read_credentials(std::string_view text, RedisAddress& address) {
  const auto [user, password] = split(text, ':');
  const auto decoded_user = decode(user);
  const auto decoded_password = decode(password.value_or(""));
  if (!decoded_user || !decoded_password) return false;
  address.user = *decoded_user;
  address.password = *decoded_password;
  return true;
}

// "host", "host:port", "[::1]:port"
bool read_endpoint(std::string_view text, RedisAddress& address) {
  std::optional<std::string_view> port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    address.host = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) return false;
    if (!rest.empty()) port = rest.substr(1);
  } else {
    const auto [host, after] = split(text, ':');
    address.host = host;
    port = after;
  }
  if (port) {
    const auto number = parse_number<std::uint16_t>(*port);
    if (!number || *number == 0) return false;
    address.port = *number;
  }
  return !address.host.empty();
}

ParsedRedisUrl parse_unix(std::string_view path) {
  const auto decoded = decode(path);
  if (!decoded || !decoded->starts_with('/')) return refused("the socket's path is not absolute");
  RedisAddress address;
  address.unix_path = *decoded;
  return {.address = std::move(address), .problem = {}};
}

}  // namespace

std::string RedisAddress::server() const {
  if (!unix_path.empty()) return unix_path;
  return host + ":" + std::to_string(port);
}

ParsedRedisUrl parse_redis_url(std::string_view url) {
  constexpr std::string_view tcp = "redis://";
  constexpr std::string_view local = "unix://";
  if (url.starts_with("rediss://")) {
    return refused(
        "rediss:// is TLS, which this Redis client has not: use a tunnel or a Unix socket");
  }
  if (url.starts_with(local)) return parse_unix(url.substr(local.size()));
  if (!url.starts_with(tcp)) return refused("it is neither redis:// nor unix://");
  url.remove_prefix(tcp.size());

  RedisAddress address;
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
    if (!read_credentials(url.substr(0, at), address)) {
      return refused("a % in user or password is not followed by two hex digits");
    }
    url.remove_prefix(at + 1);
  }
  const auto [endpoint, database] = split(url, '/');
  if (!read_endpoint(endpoint, address)) return refused("host or port cannot be read");
  if (database && !database->empty()) {
    const auto number = parse_number<std::uint32_t>(*database);
    if (!number) return refused("the database is not a number");
    address.database = *number;
  }
  return {.address = std::move(address), .problem = {}};
}

}  // namespace spillway::redis
