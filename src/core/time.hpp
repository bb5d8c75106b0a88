// src/core/time.hpp: time as the loops are told it: no clock is read here.

#pragma once

#include <chrono>
#include <cstdint>

namespace spillway::core {

using Duration = std::chrono::nanoseconds;

/// CLOCK_MONOTONIC; a clock without now(): whoever calls a step reads it.
struct MonotonicClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicClock, Duration>;
  static constexpr bool is_steady = true;
};
using Instant = MonotonicClock::time_point;

/// Nanoseconds since 1970-01-01 UTC. Told to people and Kafka, never decided on.
struct UnixTime {
  std::int64_t ns = 0;
  friend constexpr auto operator<=>(const UnixTime&, const UnixTime&) noexcept = default;
};

}  // namespace spillway::core
