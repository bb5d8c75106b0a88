// include/spillway/outcome.hpp: how a caller learns that an accepted envelope is safe.

#pragma once

#include <chrono>
#include <cstdint>

namespace spillway {

/// When to give up waiting.
using Deadline = std::chrono::steady_clock::time_point;

/// Stands for one accepted envelope. A value without resources; may be dropped at any time.
class Ticket {
 public:
  constexpr Ticket(std::uint64_t record, std::uint64_t generation) noexcept
      : record_{record}, generation_{generation} {}

  /// Where the record lies in the journal, and which use of that place it is.
  [[nodiscard]] constexpr std::uint64_t record() const noexcept { return record_; }
  [[nodiscard]] constexpr std::uint64_t generation() const noexcept { return generation_; }

 private:
  std::uint64_t record_;
  std::uint64_t generation_;
};

enum class Outcome : std::uint8_t {
  pending,  ///< In the journal: outlives this process, not yet its host.
  settled,  ///< Acked by Kafka, COMMITted in the outbox, or dead-lettered: outlives the host.
};

}  // namespace spillway
