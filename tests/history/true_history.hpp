// tests/history/true_history.hpp: a run of which every promise holds, made up from a seed.
//
// A few instances with their lives, publishers and lanes; direct sends, outages with held rows and
// their release, fatal producers, kills and recoveries, leases that move, batches that are refused
// and renumbered, dead letters, rows that are still waiting: each with the log of who did what
// when. It knows the rules, not the code: nothing here comes from src/.

#pragma once

#include <cstdint>

#include "verify/history.hpp"

namespace spillway::history {

/// At most about `records_max` calls of publish().
[[nodiscard]] verify::History true_history(std::uint64_t seed, std::uint64_t records_max);

}  // namespace spillway::history
