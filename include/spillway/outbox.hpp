// include/spillway/outbox.hpp: for programs: look into the outbox and its dead letters.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spillway/config.hpp"
#include "spillway/export.hpp"

namespace spillway {

struct OutboxStream {
  std::uint64_t instance = 0;
  std::uint32_t lane = 0;
  std::uint64_t rows = 0;
  std::uint64_t held = 0;
  std::uint64_t written_through = 0;
  std::uint64_t relayed_through = 0;
  bool owner_alive = false;  ///< Its writer's session holds the instance's lock.
  bool leased = false;       ///< A relay holds the stream's lease.
  std::chrono::sys_time<std::chrono::microseconds>
      oldest;  ///< accepted_at of its first row; epoch if none.
};

/// A row of the outbox, or a dead letter (then with `error`). Owns its bytes.
struct OutboxRecord {
  std::string position;
  std::string topic;
  std::optional<std::string> key;
  std::optional<std::string> payload;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  std::chrono::sys_time<std::chrono::microseconds> accepted_at;
  std::chrono::sys_time<std::chrono::microseconds> stored_at;
  std::optional<EventTime> event_time;
  bool held = false;
  std::string resend;  ///< "" or the cause.
  std::uint32_t attempts = 0;
  std::string error;
};

/// The DDL: schema, tables with their storage settings, three least-privilege roles.
[[nodiscard]] SPILLWAY_EXPORT std::string_view schema_sql() noexcept;

/// One blocking session. @thread one at a time
class SPILLWAY_EXPORT Outbox {
 public:
  /// @blocks up to `postgres.connect_within`
  /// @throws StartError when the server cannot be used, with the way out
  [[nodiscard]] static Outbox open(const Config& config);

  Outbox(Outbox&& other) noexcept;
  Outbox& operator=(Outbox&& other) noexcept;
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox();

  /// Creates what is missing; again: no change. @throws StartError
  void apply_schema();

  /// @throws StartError, naming `spillway schema --apply` when the schema is missing
  [[nodiscard]] std::vector<OutboxStream> streams();

  /// Rows in stream order, through a cursor. @throws StartError
  void for_each_row(std::size_t limit, const std::function<void(const OutboxRecord&)>& visit);
  /// Oldest first. @throws StartError
  void for_each_dead_letter(std::size_t limit,
                            const std::function<void(const OutboxRecord&)>& visit);

  /// One record by position, from the outbox or the dead letters. @throws StartError
  [[nodiscard]] std::optional<OutboxRecord> find(std::string_view position);

  /// False: there was no such letter. @throws StartError
  bool remove_dead_letter(std::string_view position);

 private:
  struct Impl;
  explicit Outbox(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spillway
