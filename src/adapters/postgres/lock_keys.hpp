// src/adapters/postgres/lock_keys.hpp: which advisory lock means what.
//
//   owner of an instance   instance # 0x5350494C4C4F574E                     "SPILLOWN"
//   lease of a stream      instance # 0x5350494C4C454153 # (lane << 48)      "SPILLEAS"
//
// # is exclusive or, on the bits of a bigint. Instances are random, so two of these meet by an
// accident of 64 bits only. The same numbers come out of C++ and of SQL, where a scan computes them
// for streams that it has not seen before. They never change: old and new versions must exclude
// each other.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/ids.hpp"

namespace spillway::postgres {

inline constexpr std::uint64_t owner_key_salt = 0x5350494C4C4F574E;
inline constexpr std::uint64_t lease_key_salt = 0x5350494C4C454153;
inline constexpr unsigned lease_key_lane_shift = 48;

[[nodiscard]] constexpr std::int64_t owner_key(core::InstanceId instance) noexcept {
  return static_cast<std::int64_t>(instance.value ^ owner_key_salt);
}
[[nodiscard]] constexpr std::int64_t lease_key(core::StreamId stream) noexcept {
  const std::uint64_t lane = std::uint64_t{stream.lane.value} << lease_key_lane_shift;
  return static_cast<std::int64_t>(stream.instance.value ^ lease_key_salt ^ lane);
}

/// The same in SQL, from the columns `instance` and `lane` of the table with this alias.
[[nodiscard]] std::string owner_key_sql(std::string_view alias);
[[nodiscard]] std::string lease_key_sql(std::string_view alias);

/// A query for (key, pid) of every advisory lock on a bigint that is held in this database.
[[nodiscard]] std::string held_locks_sql();

}  // namespace spillway::postgres
