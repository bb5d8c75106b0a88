// tests/crash/judge.hpp: whether what Kafka was given is what was accepted (P1-P8).

#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "crash/ledger.hpp"

namespace spillway::crash {

/// How the publishers' logs ended, over all lives.
struct Accepts {
  std::array<std::uint64_t, publishers> last{};  ///< Each number up to it was accepted once,
  std::set<RecordName> unknown;  ///< ... but for these: begun when the process was killed.
  bool in_one_thread = false;    ///< Every publish() returned before the next one began.
};

/// One line for each kind of violation, with the first record that shows it; nothing when all is
/// well.
[[nodiscard]] std::vector<std::string> violations_of(const Accepts& accepts,
                                                     std::span<const Sent> sent);

}  // namespace spillway::crash
