// src/core/routing.hpp: which lane a key belongs to, for as long as the number of lanes stays the
// same.

#pragma once

#include <cstddef>

#include "core/ids.hpp"
#include "spillway/envelope.hpp"

namespace spillway::core {

/// The same key, the same lane. Topics play no part: a key may be used across them in causal order.
[[nodiscard]] LaneIndex lane_of_key(Bytes key, std::size_t lanes) noexcept;

}  // namespace spillway::core
