// src/adapters/postgres/error_kinds.hpp: what a server's error means for a transaction, and what to
// do.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/postgres/handles.hpp"

namespace spillway::postgres {

enum class ErrorKind : std::uint8_t {
  lost,     ///< The session ends, or what it knows is wrong: reconnect and look again.
  refused,  ///< The statement is at fault: it fails again.
  retry,    ///< Without effect, for a reason that passes or that somebody can mend.
};

/// `sqlstate` has five characters; empty means that the client made the error, not the server.
[[nodiscard]] ErrorKind kind_of(std::string_view sqlstate, bool session_ends) noexcept;
[[nodiscard]] ErrorKind kind_of(const PGresult* error) noexcept;

/// The way out, or "".
[[nodiscard]] std::string_view hint_for(std::string_view sqlstate) noexcept;

/// "MESSAGE (SQLSTATE 42P01); HINT", on one line.
[[nodiscard]] std::string describe(const PGresult* error);

/// Without line breaks, and without spaces at the ends.
[[nodiscard]] std::string on_one_line(std::string_view text);

}  // namespace spillway::postgres
