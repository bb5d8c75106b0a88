// perf/common/cpu_time.hpp: what was used of the CPUs: by this process, and by the host behind our
// back.

#pragma once

#include <cstdint>

namespace spillway::perf {

/// CPU seconds of all threads of this process, ended ones too, in user and in kernel mode.
[[nodiscard]] double cpu_seconds();

/// How much of the machine's CPU time the hypervisor gave to others, in steps of 10 ms of one CPU.
class StealMeter {
 public:
  StealMeter();
  /// Since it was made; 0 to 1.
  [[nodiscard]] double share() const;

 private:
  std::uint64_t stolen_ = 0;
  std::uint64_t all_ = 0;
};

}  // namespace spillway::perf
