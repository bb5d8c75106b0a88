// src/adapters/postgres/outbox_sql.hpp: the statements of a stream's owner, as texts.
//
// Each is one Query message, so several statements in it are one transaction. Numbers are written
// into the text; rows in bulk are not here, they follow as COPY data.

#pragma once

#include <span>
#include <string>

#include "core/ids.hpp"
#include "core/time.hpp"
#include "ports/outbox_store.hpp"

namespace spillway::postgres {

/// What each session sets, whatever the server's defaults: durability, isolation, quoting, and how
/// soon the server gives up a client that has vanished or stopped. Ends with a row: is the server a
/// standby?
[[nodiscard]] std::string session_settings_sql(core::Duration statement_within,
                                               core::Duration tcp_user_timeout);

/// One row: is the instance's lock ours now?
[[nodiscard]] std::string take_owner_lock_sql(core::InstanceId instance);

/// Ends the backends that hold the instance's lock; a row (pid) for each.
[[nodiscard]] std::string end_owner_sql(core::InstanceId instance);

/// (lane, written_through, held_through, relayed_through) of each stream of the instance.
[[nodiscard]] std::string streams_sql(core::InstanceId instance);

/// Raises the stream's marks, then COPY: the row's lock is taken before the first row goes in.
[[nodiscard]] std::string write_rows_sql(core::StreamId stream,
                                         std::span<const ports::OutboxRow> rows);

[[nodiscard]] std::string write_dead_letters_sql(core::StreamId stream,
                                                 std::span<const ports::DeadLetterRow> letters);

[[nodiscard]] std::string release_sql(core::StreamId stream, core::Seq held_through,
                                      std::span<const ports::Unfinished> unfinished);

[[nodiscard]] std::string release_unknown_sql(core::StreamId stream);

}  // namespace spillway::postgres
