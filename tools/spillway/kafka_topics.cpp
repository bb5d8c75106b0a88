#include "kafka_topics.hpp"

#include <thread>

#include "kafka_handles.hpp"

namespace spillway::program {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Event = std::unique_ptr<rd_kafka_event_t, KafkaReleasedBy<rd_kafka_event_destroy>>;
using Options =
    std::unique_ptr<rd_kafka_AdminOptions_t, KafkaReleasedBy<rd_kafka_AdminOptions_destroy>>;
using Creation = std::unique_ptr<rd_kafka_NewTopic_t, KafkaReleasedBy<rd_kafka_NewTopic_destroy>>;
using Deletion =
    std::unique_ptr<rd_kafka_DeleteTopic_t, KafkaReleasedBy<rd_kafka_DeleteTopic_destroy>>;

[[noreturn]] void fail(const std::string& what, const std::string& why) {
  throw CommandError{ExitCode::unusable, what + ": " + why};
}

// Waits for the answer to what was asked on `queue`.
Event answer_on(rd_kafka_queue_t& queue, const std::string& what,
                std::chrono::milliseconds within) {
  Event event{rd_kafka_queue_poll(&queue, static_cast<int>(within.count()))};
  if (!event) fail(what, "Kafka has not answered within " + std::to_string(within.count()) + " ms");
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    fail(what, rd_kafka_event_error_string(event.get()));
  }
  return event;
}

Options options_for(rd_kafka_t& client, rd_kafka_admin_op_t operation,
                    std::chrono::milliseconds within) {
  Options options{rd_kafka_AdminOptions_new(&client, operation)};
  std::array<char, 256> error{};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), static_cast<int>(within.count()),
                                            error.data(), error.size());
  return options;
}

bool has_leaders(rd_kafka_t& client, rd_kafka_topic_t& topic) {
  const rd_kafka_metadata_t* metadata = nullptr;
  if (rd_kafka_metadata(&client, 0, &topic, &metadata, 1'000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return false;
  }
  const rd_kafka_metadata_topic& found = metadata->topics[0];
  bool all = found.err == RD_KAFKA_RESP_ERR_NO_ERROR && found.partition_cnt > 0;
  for (int i = 0; all && i < found.partition_cnt; ++i)
    all = found.partitions[i].leader >= 0;
  rd_kafka_metadata_destroy(metadata);
  return all;
}

void await_leaders(rd_kafka_t& client, const std::string& name, Clock::time_point deadline) {
  const KafkaTopic topic{rd_kafka_topic_new(&client, name.c_str(), nullptr)};
  while (!has_leaders(client, *topic)) {
    if (Clock::now() > deadline) fail("topic " + name, "its partitions have no leaders");
    std::this_thread::sleep_for(20ms);
  }
}

}  // namespace

void create_topic(const KafkaConfig& kafka, const NewTopic& topic,
                  std::chrono::milliseconds within) {
  const Clock::time_point deadline = Clock::now() + within;
  const std::string what = "creating topic " + topic.name;
  const KafkaClient client = make_producer(make_conf(kafka));
  const KafkaQueue queue{rd_kafka_queue_new(client.get())};
  std::array<char, 256> error{};
  const Creation creation{rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions,
                                                topic.replicas, error.data(), error.size())};
  if (!creation) fail(what, error.data());
  const Options options = options_for(*client, RD_KAFKA_ADMIN_OP_CREATETOPICS, within);
  rd_kafka_NewTopic_t* wanted = creation.get();
  rd_kafka_CreateTopics(client.get(), &wanted, 1, options.get(), queue.get());

  const Event event = answer_on(*queue, what, within);
  std::size_t count = 0;
  const rd_kafka_topic_result_t* const* const results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  const rd_kafka_resp_err_t result = rd_kafka_topic_result_error(results[0]);
  if (result != RD_KAFKA_RESP_ERR_NO_ERROR && result != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
    fail(what, rd_kafka_topic_result_error_string(results[0]));
  }
  await_leaders(*client, topic.name, deadline);
}

void delete_topic(const KafkaConfig& kafka, const std::string& name,
                  std::chrono::milliseconds within) {
  const std::string what = "deleting topic " + name;
  const KafkaClient client = make_producer(make_conf(kafka));
  const KafkaQueue queue{rd_kafka_queue_new(client.get())};
  const Deletion deletion{rd_kafka_DeleteTopic_new(name.c_str())};
  const Options options = options_for(*client, RD_KAFKA_ADMIN_OP_DELETETOPICS, within);
  rd_kafka_DeleteTopic_t* wanted = deletion.get();
  rd_kafka_DeleteTopics(client.get(), &wanted, 1, options.get(), queue.get());
  static_cast<void>(answer_on(*queue, what, within));
}

}  // namespace spillway::program
