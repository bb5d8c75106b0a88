// perf/common/run_topic.hpp: a topic of one run's own, removed after it.

#pragma once

#include <string>

#include "spillway/config.hpp"

namespace spillway::perf {

class RunTopic {
 public:
  /// Named `perf-PURPOSE-PID-N`. @blocks until its partitions have leaders
  /// @throws program::CommandError
  RunTopic(const KafkaConfig& kafka, const std::string& purpose, int partitions);
  RunTopic(const RunTopic&) = delete;
  RunTopic& operator=(const RunTopic&) = delete;
  /// Says so on standard error when the topic could not be removed.
  ~RunTopic();

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  KafkaConfig kafka_;
  std::string name_;
};

}  // namespace spillway::perf
