// perf/common/own_process.hpp: what this process holds, as the kernel counts it.

#pragma once

#include <cstdint>

namespace spillway::perf {

/// Resident memory, shared pages and the journal's among them.
[[nodiscard]] double resident_mib();
/// Open descriptors.
[[nodiscard]] double descriptors();

}  // namespace spillway::perf
