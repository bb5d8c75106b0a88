#include "adapters/kafka/error_kinds.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace spillway::kafka {
namespace {

struct Description {
  rd_kafka_resp_err_t code;
  std::string text;
};

std::vector<Description> read_descriptions() {
  const rd_kafka_err_desc* first = nullptr;
  std::size_t count = 0;
  rd_kafka_get_err_descs(&first, &count);
  std::vector<Description> all;
  all.reserve(count);
  for (const rd_kafka_err_desc& error : std::span{first, count}) {
    if (error.name == nullptr) continue;  // a gap in the numbers
    std::string text{error.name};
    if (error.desc != nullptr) text.append(": ").append(error.desc);
    // "Broker handle destroyed" is what librdkafka says of a record whose partition has gone.
    if (error.code == RD_KAFKA_RESP_ERR__DESTROY)
      text = "UNKNOWN_TOPIC_OR_PART: it was deleted, or may not be seen any more";
    all.push_back({.code = error.code, .text = std::move(text)});
  }
  std::ranges::sort(all, {}, &Description::code);
  return all;
}

// librdkafka 2.6 and newer: the record was sound, another one of its batch was not.
constexpr int invalid_different_record = -138;

}  // namespace

ErrorKind kind_of(rd_kafka_resp_err_t error) noexcept {
  if (static_cast<int>(error) == invalid_different_record) return ErrorKind::batch;
  // What is unlisted is permanent, as in librdkafka itself (rd_kafka_handle_Produce_error).
  switch (static_cast<int>(error)) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return ErrorKind::none;

    // A broker judges a batch as a whole by its size and its records.
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return ErrorKind::batch;

    // The producer's end: a recall, or a fatal error.
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR__INCONSISTENT:
    case RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE:
    case RD_KAFKA_RESP_ERR__STATE:
    case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    // The transport and the cluster's state. librdkafka retries these for ever; should one come out
    // all the same, it says nothing about the record.
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__RETRY:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_PREFERRED_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
      return ErrorKind::passing;

    default:
      return ErrorKind::record;
  }
}

ports::DeliveryOutcome outcome_of(rd_kafka_resp_err_t error,
                                  rd_kafka_msg_status_t status) noexcept {
  using enum ports::DeliveryOutcome;
  switch (status) {
    case RD_KAFKA_MSG_STATUS_PERSISTED:
      return delivered;
    case RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED:
      return possibly_persisted;
    case RD_KAFKA_MSG_STATUS_NOT_PERSISTED:
      break;
  }
  switch (kind_of(error)) {
    case ErrorKind::record:
      return refused;
    case ErrorKind::batch:
      return batch_refused;
    case ErrorKind::none:
    case ErrorKind::passing:
      break;
  }
  return not_persisted;
}

ports::SubmitResult submit_result_of(rd_kafka_resp_err_t error) noexcept {
  using enum ports::SubmitResult;
  switch (static_cast<int>(error)) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return accepted;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
      return busy;
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__STATE:
      return fatal;
    default:
      return refused;
  }
}

bool is_refused_connection(rd_kafka_resp_err_t error) noexcept {
  switch (static_cast<int>(error)) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return true;
    default:
      return false;
  }
}

const char* describe(rd_kafka_resp_err_t error) noexcept {
  static const std::vector<Description> all = read_descriptions();
  const auto found = std::ranges::lower_bound(all, error, {}, &Description::code);
  if (found == all.end() || found->code != error)
    return "an error that this librdkafka does not know";
  return found->text.c_str();
}

const char* hint_for(rd_kafka_resp_err_t error) noexcept {
  switch (static_cast<int>(error)) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return "check sasl.* in kafka.properties, and the user's password";
    case RD_KAFKA_RESP_ERR__SSL:
      return "check ssl.* and security.protocol in kafka.properties";
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return "the user needs the IdempotentWrite permission on the cluster, or Write on a topic";
    case RD_KAFKA_RESP_ERR__RESOLVE:
      return "check the host names in kafka.bootstrap_servers";
    default:
      return "it is tried again by itself";
  }
}

}  // namespace spillway::kafka
