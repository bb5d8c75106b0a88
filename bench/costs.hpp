// bench/costs.hpp: what a thread uses besides time: allocations and instructions.
//
// A program that links it has its allocator counted: malloc and operator new add one, then ask the
// allocator that the program would have had.

#pragma once

#include <cstdint>

#include <benchmark/benchmark.h>

namespace spillway::bench {

/// Counts from its making on. @thread one
class Costs {
 public:
  Costs();
  Costs(const Costs&) = delete;
  Costs& operator=(const Costs&) = delete;
  ~Costs();

  /// Allocations and, where the kernel counts them, instructions for each of `operations`. Once;
  /// ends the count.
  void report(benchmark::State& state, std::uint64_t operations);

 private:
  int instructions_ = -1;  // a perf event's descriptor; -1 where there is none
  std::uint64_t allocations_before_ = 0;
};

}  // namespace spillway::bench
