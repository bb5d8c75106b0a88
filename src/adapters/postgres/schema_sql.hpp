// src/adapters/postgres/schema_sql.hpp: schema.sql, embedded when the library is built.

#pragma once

#include <string_view>

namespace spillway::postgres {

[[nodiscard]] std::string_view schema_text() noexcept;

}  // namespace spillway::postgres
