// perf/common/our_side.hpp: a pipeline of one run, and whether what it was given went straight to
// Kafka.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "perf/common/scratch_journal.hpp"
#include "spillway/pipeline.hpp"

namespace spillway::perf {

class OurSide {
 public:
  /// With a relay, as in a service: a lane that has tripped needs one to return.
  /// @throws ConfigError, StartError
  OurSide(const Config& config, unsigned lanes, const std::string& topic);

  [[nodiscard]] Pipeline& pipeline() noexcept { return pipeline_; }
  [[nodiscard]] const Topic& topic() const noexcept { return topic_; }

  /// From here on, for detour().
  void mark();
  /// Why a slice that ends now does not count; nothing when all `messages` since mark() went
  /// straight to Kafka. All is settled. @blocks after a detour, until the lanes are direct again
  /// @throws program::CommandError when they do not become so
  [[nodiscard]] std::optional<std::string> detour(std::uint64_t messages) const;

 private:
  ScratchJournal journal_;
  Pipeline pipeline_;
  Topic topic_;
  Metrics before_;
};

}  // namespace spillway::perf
