// perf/common/publish_cpu.hpp: what publish() costs its own thread as publishers work side by side.
//
// CPU time, so a thread that waits for a core is not charged for it; the lane's work is another
// thread's.

#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "perf/common/our_side.hpp"
#include "perf/common/run_topic.hpp"
#include "perf/common/workload.hpp"
#include "spillway/publisher.hpp"

namespace spillway::perf {

class PublishCpu {
 public:
  /// @throws StartError, program::CommandError
  PublishCpu(const Config& config, std::size_t publishers_max);

  /// CPU nanoseconds of one call, over all threads. Nothing when one found no room.
  /// @blocks until all is settled @throws program::CommandError when it is not
  [[nodiscard]] std::optional<double> run(std::size_t publishers);

 private:
  Content content_;
  RunTopic run_topic_;
  OurSide ours_;
  std::vector<Publisher> publishers_;
};

}  // namespace spillway::perf
