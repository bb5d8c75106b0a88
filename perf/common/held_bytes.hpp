// perf/common/held_bytes.hpp: what a message in flight takes of memory beyond its payload and key.
//
// Kafka is paused, so that all of them are in flight at once: with librdkafka, and on our side in
// the journal too. Each side is a process of its own, whose heap has nothing freed in it yet.

#pragma once

#include <cstddef>

#include "perf/common/pairs.hpp"
#include "spillway/config.hpp"
#include "tools/spillway/stack_control.hpp"

namespace spillway::perf {

struct HeldBytes {
  double journal = 0;  ///< For each message, its payload and key among them.
  double heap = 0;     ///< Of the whole process, librdkafka's most of all.
  double beyond = 0;   ///< Of both, beyond payload and key.
};

/// Call it before anything that has threads or uses much memory.
/// @blocks seconds, in which Kafka does not answer
/// @throws program::CommandError when the child has failed, which says why on standard error
[[nodiscard]] HeldBytes measure_held_bytes(const Config& config, const program::StackControl& stack,
                                           Side side, std::size_t messages);

}  // namespace spillway::perf
