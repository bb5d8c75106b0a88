// src/adapters/kafka/handles.hpp: librdkafka's handles, each with its release function.

#pragma once

#include <memory>

#include <librdkafka/rdkafka.h>

namespace spillway::kafka {

template <auto release>
struct ReleasedBy {
  void operator()(auto* handle) const noexcept { release(handle); }
};

using Client = std::unique_ptr<rd_kafka_t, ReleasedBy<rd_kafka_destroy>>;
using ClientSettings = std::unique_ptr<rd_kafka_conf_t, ReleasedBy<rd_kafka_conf_destroy>>;
using TopicSettings =
    std::unique_ptr<rd_kafka_topic_conf_t, ReleasedBy<rd_kafka_topic_conf_destroy>>;
using TopicReference = std::unique_ptr<rd_kafka_topic_t, ReleasedBy<rd_kafka_topic_destroy>>;
using MessageHeaders = std::unique_ptr<rd_kafka_headers_t, ReleasedBy<rd_kafka_headers_destroy>>;
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, ReleasedBy<rd_kafka_metadata_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, ReleasedBy<rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, ReleasedBy<rd_kafka_event_destroy>>;
using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, ReleasedBy<rd_kafka_AdminOptions_destroy>>;
using ConfigResource =
    std::unique_ptr<rd_kafka_ConfigResource_t, ReleasedBy<rd_kafka_ConfigResource_destroy>>;

}  // namespace spillway::kafka
