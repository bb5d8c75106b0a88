// src/adapters/postgres/conninfo.hpp: the user's connection string, with what Spillway adds to it.
//
// Sockets notice a vanished host within seconds unless the user says otherwise. Name lookup blocks
// inside libpq: `hostaddr` avoids it.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "adapters/postgres/handles.hpp"

namespace spillway::postgres {

struct ConnectParameters {
  /// Keyword and value, for PQconnectStartParams with expand_dbname: later ones win.
  std::vector<std::pair<std::string, std::string>> pairs;
  std::string server;  ///< "host:port", or the socket's directory; for people. Never the password.
};

/// @throws StartError when `conninfo` is no connection string; without quoting it, it may hold a
/// password
[[nodiscard]] ConnectParameters connect_parameters(const std::string& conninfo,
                                                   const std::string& password,
                                                   const std::string& application_name);

/// Starts a connection; the handle may be in a failed state. Null only without memory.
[[nodiscard]] Connection start_connection(const ConnectParameters& parameters);

}  // namespace spillway::postgres
