#include "core/secrets.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace spillway::core {
namespace {

constexpr std::string_view spaces = " \t\n\r";

bool is_secret_keyword(std::string_view keyword) noexcept {
  return keyword.find("password") != std::string_view::npos;  // password, sslpassword
}

void skip_spaces(std::string_view& rest) noexcept {
  rest.remove_prefix(std::min(rest.find_first_not_of(spaces), rest.size()));
}

// As libpq reads it: bare until a space, or in single quotes; a backslash takes the next character.
std::optional<std::string_view> take_value(std::string_view& rest) noexcept {
  const std::string_view begin = rest;
  const bool quoted = !rest.empty() && rest.front() == '\'';
  std::size_t at = quoted ? 1 : 0;
  while (at < begin.size()) {
    if (quoted ? begin[at] == '\'' : spaces.find(begin[at]) != std::string_view::npos) break;
    at += begin[at] == '\\' ? 2U : 1U;
  }
  if (quoted) ++at;  // over the closing quote
  if (at > begin.size()) return std::nullopt;
  rest.remove_prefix(at);
  return begin.substr(0, at);
}

// keyword = value, as often as there is one.
std::string hide_keyword_values(std::string_view rest) {
  std::string shown;
  for (skip_spaces(rest); !rest.empty(); skip_spaces(rest)) {
    const std::size_t end = rest.find_first_of("= \t\n\r");
    const std::string_view keyword = rest.substr(0, end);
    rest.remove_prefix(std::min(end, rest.size()));
    skip_spaces(rest);
    if (keyword.empty() || rest.empty() || rest.front() != '=') return std::string{hidden};
    rest.remove_prefix(1);
    skip_spaces(rest);
    const auto value = take_value(rest);
    if (!value) return std::string{hidden};
    if (!shown.empty()) shown += ' ';
    shown += keyword;
    shown += '=';
    shown += is_secret_keyword(keyword) ? hidden : *value;
  }
  return shown;
}

// ?name=value&name=value; the first name keeps its '?', which is_secret_keyword() does not mind.
std::string hide_query(std::string_view query) {
  std::string shown;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    const std::size_t equals = part.find('=');
    if (equals != std::string_view::npos && is_secret_keyword(part.substr(0, equals))) {
      shown += part.substr(0, equals + 1);
      shown += hidden;
    } else {
      shown += part;
    }
    if (end == std::string_view::npos) break;
    shown += '&';
    query.remove_prefix(end + 1);
  }
  return shown;
}

}  // namespace

std::string hide_url_secrets(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t at = url.rfind('@');  // the last one: a password may hold more, unescaped
  if (at == std::string_view::npos || at < begin) return std::string{url};
  const std::size_t colon = url.substr(0, at).find(':', begin);
  if (colon == std::string_view::npos) return std::string{url};
  std::string shown{url.substr(0, colon + 1)};
  shown += hidden;
  shown += url.substr(at);
  return shown;
}

std::string hide_conninfo_secrets(std::string_view conninfo) {
  if (conninfo.find("://") == std::string_view::npos || conninfo.find("://") > conninfo.find('=')) {
    return hide_keyword_values(conninfo);
  }
  const std::string url = hide_url_secrets(conninfo);
  const std::size_t query = std::min(url.find('?'), url.size());
  return url.substr(0, query) + hide_query(std::string_view{url}.substr(query));
}

bool is_secret_property(std::string_view name) noexcept {
  constexpr std::array others{std::string_view{"ssl.key.pem"}, std::string_view{"ssl_key"},
                              std::string_view{"sasl.oauthbearer.config"}};
  for (const std::string_view other : others) {
    if (name == other) return true;
  }
  return name.find("password") != std::string_view::npos ||
         name.find("secret") != std::string_view::npos;
}

}  // namespace spillway::core
