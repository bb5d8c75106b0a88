// tools/spillway/kafka_topics.hpp: makes and removes topics; waits until one can be used.

#pragma once

#include <chrono>
#include <string>

#include "spillway/config.hpp"

namespace spillway::program {

struct NewTopic {
  std::string name;
  int partitions = 4;
  int replicas = 1;
};

/// Makes the topic, unless there is one of this name, and waits until its partitions have leaders.
/// @blocks until then, or until `within` has passed
/// @throws CommandError
void create_topic(const KafkaConfig& kafka, const NewTopic& topic,
                  std::chrono::milliseconds within);

/// @throws CommandError
void delete_topic(const KafkaConfig& kafka, const std::string& name,
                  std::chrono::milliseconds within);

}  // namespace spillway::program
