// src/core/ids.hpp: identities: what is numbered, and by whom.

#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace spillway::core {

/// A lane's number for a record: gapless from 1, never used twice, given by the lane alone. 0 is
/// none.
struct Seq {
  std::uint64_t value = 0;
  [[nodiscard]] constexpr Seq next() const noexcept { return Seq{value + 1}; }
  friend constexpr auto operator<=>(const Seq&, const Seq&) noexcept = default;
};

/// CLOCK_MONOTONIC ns at which a record was accepted: what the lane sorts by.
struct Stamp {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(const Stamp&, const Stamp&) noexcept = default;
};

struct LaneIndex {
  std::uint16_t value = 0;
  friend constexpr auto operator<=>(const LaneIndex&, const LaneIndex&) noexcept = default;
};

/// A topic's place in the journal's table of names.
struct TopicIndex {
  std::uint16_t value = 0;
  friend constexpr auto operator<=>(const TopicIndex&, const TopicIndex&) noexcept = default;
};

/// A journal's random id: lives as long as the file does.
struct InstanceId {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(const InstanceId&, const InstanceId&) noexcept = default;
};

/// One lane of one instance: the unit of order, of the outbox and of a relay's lease.
struct StreamId {
  InstanceId instance;
  LaneIndex lane;
  friend constexpr auto operator<=>(const StreamId&, const StreamId&) noexcept = default;
};

/// Where a record lies in the journal: bytes from the beginning of the file.
struct RecordOffset {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(const RecordOffset&, const RecordOffset&) noexcept = default;
};

/// Why a copy that may be a second one was sent: the value of the header `spillway-resend`.
enum class ResendCause : std::uint8_t {
  none,
  fatal,     ///< Held by a producer that turned fatal.
  recovery,  ///< With librdkafka when its process died.
  lease,     ///< Maybe sent by a relay that died or lost its lease.
};

}  // namespace spillway::core

template <>
struct std::hash<spillway::core::StreamId> {
  std::size_t operator()(const spillway::core::StreamId& id) const noexcept {
    return id.instance.value * 0x9E3779B97F4A7C15U + id.lane.value;
  }
};
