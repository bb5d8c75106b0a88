// tests/crash/life.hpp: one life of a service on a journal, up to where it is killed.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "crash/ledger.hpp"

namespace spillway::crash {

/// The child stops itself (SIGSTOP) there, and waits for its parent.
struct StopAt {
  Point point = Point::open;
  std::uint64_t pass = 1;
};

enum class Work : std::uint8_t {
  in_turns,  ///< One thread is all publishers and lanes, in an order that the seed gives.
  threads,   ///< A thread for each publisher, one for the lanes; until killed.
  drain,     ///< Sends what the journal has, and ends.
};

struct LifeOrder {
  std::string journal;
  std::uint64_t seed = 0;
  Work work = Work::in_turns;
  std::size_t payload_bytes_max = 0;
  std::optional<StopAt> stop_at;
};

/// Lives. The exit code: 0 unless something could not be done.
int live(const LifeOrder& order, Ledger& ledger);

/// Opens the journal as a service does, finds its records, and says what they are.
[[nodiscard]] std::uint64_t digest_of_recovery(const std::string& journal);

inline constexpr std::size_t journal_bytes = std::size_t{6} << 20;

}  // namespace spillway::crash
