// src/adapters/kafka/error_kinds.hpp: what librdkafka's error codes mean for a record, and for a
// person.
//
// Pure: a code and a status in, our words out.

#pragma once

#include <cstdint>

#include <librdkafka/rdkafka.h>

#include "ports/broker.hpp"

namespace spillway::kafka {

/// Whose fault an error is.
enum class ErrorKind : std::uint8_t {
  none,
  record,   ///< This record's, or its topic's: sent again alone it fails again.
  batch,    ///< Of some record in its batch; nobody says which.
  passing,  ///< Nobody's: the transport, the cluster's state, or the producer itself.
};
[[nodiscard]] ErrorKind kind_of(rd_kafka_resp_err_t error) noexcept;

/// A delivery report. The status decides whether the record is, or may be, in the log; the code
/// only says whether a record that is not there may be sent again.
[[nodiscard]] ports::DeliveryOutcome outcome_of(rd_kafka_resp_err_t error,
                                                rd_kafka_msg_status_t status) noexcept;

/// What produce() returned.
[[nodiscard]] ports::SubmitResult submit_result_of(rd_kafka_resp_err_t error) noexcept;

/// True when the cluster does not let this client in: a retry does not help until somebody acts.
[[nodiscard]] bool is_refused_connection(rd_kafka_resp_err_t error) noexcept;

/// "NAME: text", static.
/// @allocates at the first call in a process
[[nodiscard]] const char* describe(rd_kafka_resp_err_t error) noexcept;

/// What a person may do about an error of the connection.
[[nodiscard]] const char* hint_for(rd_kafka_resp_err_t error) noexcept;

}  // namespace spillway::kafka
