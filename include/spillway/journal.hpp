// include/spillway/journal.hpp: for programs: look into a journal file, or empty one whose process
// never returns.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "spillway/config.hpp"
#include "spillway/export.hpp"

namespace spillway {

struct JournalLane {
  std::uint32_t lane = 0;
  std::uint64_t next_seq = 1;
  std::uint64_t unsettled = 0;
};

struct JournalReport {
  std::string path;
  std::uint32_t version = 0;
  std::uint64_t instance = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t segments = 0;
  bool in_use = false;  ///< Its owner lives; the counts below are then a glimpse.
  std::uint64_t unnumbered = 0;
  std::uint64_t numbered = 0;
  std::uint64_t submitted =
      0;                      ///< With librdkafka when the process ended: may be in Kafka already.
  std::uint64_t settled = 0;  ///< Not yet recycled.
  std::uint64_t torn = 0;
  std::vector<JournalLane> lanes;
  std::vector<std::string> topics;
};

/// Reads, never writes. @throws StartError when it is not a journal that can be read
[[nodiscard]] SPILLWAY_EXPORT JournalReport inspect_journal(const std::string& path);

struct DrainResult {
  std::uint64_t found = 0;
  std::uint64_t spilled = 0;  ///< COMMITted in the outbox.
  std::uint64_t left = 0;
};

/// Takes the journal over and spills what is left in it to the outbox; a relay does the rest. Kafka
/// is not asked. `progress` is told the records still to go, about ten times a second.
/// @blocks until `within` has passed
/// @throws ConfigError; StartError when the file is in use or not a journal
[[nodiscard]] SPILLWAY_EXPORT DrainResult
drain_journal(const std::string& path, const Config& config, std::chrono::milliseconds within,
              const std::function<void(std::uint64_t)>& progress = {});

}  // namespace spillway
