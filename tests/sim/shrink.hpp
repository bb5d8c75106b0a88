// tests/sim/shrink.hpp: makes a plan short that breaks a promise (Zeller, Hildebrandt: "Simplifying
// and isolating failure-inducing input", 2002).
//
// Crashes, outages, publishes and the faults that happened are left out, in ever smaller pieces,
// for as long as the same promise breaks.

#pragma once

#include <chrono>

#include "sim/simulation.hpp"

namespace spillway::sim {

/// `plan` breaks a promise. Takes no longer than `limit`, of real time, and one run.
[[nodiscard]] Plan shrink(const Plan& plan, Disks& disks, std::chrono::seconds limit);

}  // namespace spillway::sim
