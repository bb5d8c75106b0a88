// tests/history/reference.hpp: the promises P1 to P9 as their definitions have them, pair by pair.
//
// Quadratic, for small histories: it shares the decoder with the checker and nothing else.

#pragma once

#include <set>

#include "verify/history.hpp"

namespace spillway::history {

/// Which of P1 to P9 are broken.
[[nodiscard]] std::set<verify::Promise> broken_by_definition(const verify::History& history);

}  // namespace spillway::history
