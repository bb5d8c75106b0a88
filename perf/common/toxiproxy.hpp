// perf/common/toxiproxy.hpp: the stack's proxy in front of Kafka, which can be closed.
//
// tools/stack start toxiproxy runs it.

#pragma once

#include <string>

namespace spillway::perf {

/// Where clients connect through the proxy. @throws program::CommandError unless it runs
[[nodiscard]] std::string proxied_kafka();

/// False: all connections are closed, and new ones refused.
/// @blocks until it is so @throws program::CommandError
void let_kafka_through(bool open);

}  // namespace spillway::perf
