// src/core/verdict.hpp: what became of a record that was handed to Kafka's client.

#pragma once

#include <cstdint>

namespace spillway::core {

enum class DeliveryOutcome : std::uint8_t {
  delivered,           ///< In Kafka's log, acked by all.
  refused,             ///< Permanent, this record's own fault; not in the log.
  batch_refused,       ///< Its batch was refused: no verdict on this record; not in the log.
  not_persisted,       ///< Recalled; certainly not in the log.
  possibly_persisted,  ///< Recalled; may be in the log, now or later.
};

}  // namespace spillway::core
