// tests/sim/simulation.hpp: one plan, run: instances, relays and servers on one virtual clock.
//
//   publishes, outages, crashes of the plan ──► world.advance() ──► every loop's step() ──► Judge
//
// Then the liveness part: faults stop, and everything must drain (P20).

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/accept_log.hpp"
#include "sim/journal_disk.hpp"
#include "sim/judge.hpp"
#include "sim/plan.hpp"
#include "sim/sometimes.hpp"

namespace spillway::sim {

/// The instances' journals, used by one run after the other.
class Disks {
 public:
  [[nodiscard]] JournalDisk& get(std::size_t i);

 private:
  std::vector<std::unique_ptr<JournalDisk>> disks_;
};

struct RunResult {
  std::optional<Violation> violation;
  std::uint64_t step = 0;
  Duration at{};  ///< Virtual, since the start.
  std::uint64_t trace_hash = 0;
  std::vector<DecisionId> decisions;  ///< The faults that happened.
};

[[nodiscard]] RunResult run(const Plan& plan, Disks& disks, Sometimes& sometimes,
                            bool prints_trace = false);

}  // namespace spillway::sim
