// src/adapters/postgres/outbox_admin.hpp: a blocking session for people: the schema, streams, rows,
// letters.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "adapters/postgres/conninfo.hpp"
#include "adapters/postgres/handles.hpp"
#include "core/ids.hpp"
#include "core/time.hpp"

namespace spillway::postgres {

struct AdminStream {
  core::StreamId id;
  std::uint64_t rows = 0;
  std::uint64_t held = 0;
  core::Seq written_through;
  core::Seq relayed_through;
  bool owner_alive = false;
  bool leased = false;
  std::optional<core::UnixTime> oldest;  ///< When its first row was accepted.
};

/// A row, or a dead letter (then with `error`). Owns its bytes.
struct AdminRecord {
  core::StreamId stream;
  core::Seq seq;
  std::string topic;
  std::optional<std::string> key;
  std::optional<std::string> payload;
  std::string headers;  ///< A core/header_block.
  core::UnixTime accepted_at;
  core::UnixTime stored_at;
  std::optional<std::int64_t> event_time_ms;
  bool held = false;
  std::string resend;
  std::uint32_t attempts = 0;
  std::string error;
};

/// @thread one at a time
/// @blocks every function, until the server answers
/// @throws StartError every function, with the way out
class OutboxAdmin {
 public:
  OutboxAdmin(const std::string& conninfo, const std::string& password,
              std::chrono::milliseconds connect_within);

  /// The server's warnings (a role that could not be made) go to standard error, as libpq does it.
  void apply_schema();
  [[nodiscard]] std::vector<AdminStream> streams();
  /// In stream order.
  void for_each_row(std::size_t limit, const std::function<void(const AdminRecord&)>& visit);
  /// Oldest first.
  void for_each_dead_letter(std::size_t limit,
                            const std::function<void(const AdminRecord&)>& visit);
  [[nodiscard]] std::optional<AdminRecord> find(core::StreamId stream, core::Seq seq);
  bool remove_dead_letter(core::StreamId stream, core::Seq seq);

 private:
  Result run(const std::string& sql, int result_format);
  void for_each(const std::string& query, const std::function<void(const AdminRecord&)>& visit);

  ConnectParameters parameters_;
  Connection connection_;
};

}  // namespace spillway::postgres
