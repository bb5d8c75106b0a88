// src/adapters/postgres/relay_sql.hpp: the statements of a relay, as texts; each is one Query
// message.

#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/ids.hpp"
#include "core/time.hpp"
#include "ports/relay_store.hpp"

namespace spillway::postgres {

/// Which relay: random, for the life of the process.
struct HolderId {
  std::uint64_t value = 0;
};

inline constexpr const char* read_statement = "spillway_read";

/// After the settings of every session: what ends a stopped relay's session, and the read
/// statement.
[[nodiscard]] std::string relay_settings_sql(core::Duration lease_timeout);

/// Every stream with rows: (instance, lane, written_through, relayed_through, is_held, owner_alive,
/// leased). Takes the leases that are free; those in `held_keys` are this session's already, and an
/// advisory lock counts.
[[nodiscard]] std::string look_sql(std::span<const std::uint64_t> held_keys);

/// If the instance's owner is away, frees the held rows of its streams; a row for each stream.
[[nodiscard]] std::string adopt_sql(core::InstanceId instance);

/// Enters `holder` as the holder of leases just taken, after marking what another one may have
/// sent: (instance, lane, written_through, relayed_through, is_new) of those with rows that may be
/// sent.
[[nodiscard]] std::string take_sql(std::span<const core::StreamId> streams, HolderId holder);

/// One row if the lease is still the holder's; none, and no effect, if not.
[[nodiscard]] std::string finish_sql(core::StreamId stream, core::Seq through,
                                     std::span<const ports::RelayDeadLetter> dead, HolderId holder);

[[nodiscard]] std::string give_up_sql(core::StreamId stream);

}  // namespace spillway::postgres
