// src/core/routing.hpp: which lane a key belongs to, and which partition a record without a key.

#pragma once

#include <cstddef>
#include <cstdint>

#include "core/ids.hpp"
#include "spillway/envelope.hpp"

namespace spillway::core {

/// The same key, the same lane, for as long as their number stays the same. Topics play no part: a
/// key may be used across them in causal order.
[[nodiscard]] LaneIndex lane_of_key(Bytes key, std::size_t lanes) noexcept;

/// The seq alone decides, so that whoever sends a record again meets the partition that has its
/// first copy: elsewhere a position filter could drop the only one. Neighbours stay together, for
/// the sake of large batches. `partitions` is not 0.
[[nodiscard]] std::uint32_t partition_without_key(Seq seq, std::uint32_t partitions) noexcept;

}  // namespace spillway::core
