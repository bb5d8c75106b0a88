#include "adapters/postgres/error_kinds.hpp"

#include <array>

namespace spillway::postgres {
namespace {

struct Hint {
  std::string_view sqlstate_prefix;
  std::string_view text;
};

constexpr std::string_view apply_schema = "create Spillway's tables with: spillway schema --apply";

constexpr std::array hints{
    Hint{"42P01", apply_schema},
    Hint{"3F000", apply_schema},
    Hint{"42703", "the tables are of another version; see: spillway schema"},
    Hint{"42501", "grant this user the roles spillway_writer and spillway_relay"},
    Hint{"28", "see postgres.conninfo, postgres.password_file and the server's pg_hba.conf"},
    Hint{"3D000", "create the database, or correct dbname in postgres.conninfo"},
    Hint{"25006", "the server takes no writes: a standby, or default_transaction_read_only is on"},
    Hint{"53100", "the server's disk is full"},
    Hint{"53300", "the server's max_connections is reached"},
};

std::string_view field(const PGresult* result, int code) noexcept {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string_view{} : std::string_view{text};
}

}  // namespace

ErrorKind kind_of(std::string_view sqlstate, bool session_ends) noexcept {
  if (session_ends || sqlstate.empty()) return ErrorKind::lost;
  // A unique violation says that the rows are there: an earlier commit did take place.
  for (const std::string_view prefix : {"08", "23505", "40003"}) {
    if (sqlstate.starts_with(prefix)) return ErrorKind::lost;
  }
  // Data exception, integrity violation, program limit exceeded.
  for (const std::string_view prefix : {"22", "23", "54"}) {
    if (sqlstate.starts_with(prefix)) return ErrorKind::refused;
  }
  return ErrorKind::retry;
}

ErrorKind kind_of(const PGresult* error) noexcept {
  const std::string_view severity = field(error, PG_DIAG_SEVERITY_NONLOCALIZED);
  return kind_of(field(error, PG_DIAG_SQLSTATE), severity == "FATAL" || severity == "PANIC");
}

std::string_view hint_for(std::string_view sqlstate) noexcept {
  for (const Hint& hint : hints) {
    if (sqlstate.starts_with(hint.sqlstate_prefix)) return hint.text;
  }
  return {};
}

std::string describe(const PGresult* error) {
  const std::string_view sqlstate = field(error, PG_DIAG_SQLSTATE);
  const std::string_view message = field(error, PG_DIAG_MESSAGE_PRIMARY);
  std::string text = on_one_line(message.empty() ? PQresultErrorMessage(error) : message);
  if (!sqlstate.empty()) text.append(" (SQLSTATE ").append(sqlstate).append(")");
  if (const std::string_view hint = hint_for(sqlstate); !hint.empty())
    text.append("; ").append(hint);
  return text;
}

std::string on_one_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (const char character : text) {
    const bool is_blank = character == '\n' || character == '\t' || character == ' ';
    if (!is_blank) {
      line += character;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace spillway::postgres
