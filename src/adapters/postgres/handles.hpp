// src/adapters/postgres/handles.hpp: libpq's handles, each with its release function.

#pragma once

#include <memory>

#include <libpq-fe.h>

namespace spillway::postgres {

template <auto release>
struct ReleasedBy {
  void operator()(auto* handle) const noexcept { release(handle); }
};

using Connection = std::unique_ptr<PGconn, ReleasedBy<PQfinish>>;
using Result = std::unique_ptr<PGresult, ReleasedBy<PQclear>>;
using ConninfoOptions = std::unique_ptr<PQconninfoOption, ReleasedBy<PQconninfoFree>>;

}  // namespace spillway::postgres
