// tests/support/kafka_admin.hpp: topics for tests, on the cluster that SPILLWAY_KAFKA names.

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <librdkafka/rdkafka.h>
#include <unistd.h>

namespace spillway::test {

template <auto release>
struct KafkaReleasedBy {
  void operator()(auto* handle) const noexcept { release(handle); }
};

/// A missing cluster fails a test, it does not skip it.
inline std::string kafka_servers() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no test changes its environment.
  const char* servers = std::getenv("SPILLWAY_KAFKA");
  if (servers == nullptr) {
    throw std::runtime_error{
        "SPILLWAY_KAFKA is not set: tools/stack up; eval \"$(tools/stack env)\""};
  }
  return servers;
}

/// Used by no other test, nor by an earlier run of this one.
inline std::string new_topic_name(const std::string& subject) {
  static std::atomic<unsigned> count{0};
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return "test-" + subject + "-" + std::to_string(now) + "-" + std::to_string(::getpid()) + "-" +
         std::to_string(count.fetch_add(1));
}

/// Creates, changes and deletes topics. Every call waits for the cluster's answer and throws when
/// it is no.
class KafkaAdmin {
 public:
  explicit KafkaAdmin(const std::string& servers = kafka_servers()) {
    rd_kafka_conf_t* settings = rd_kafka_conf_new();
    std::array<char, 512> error{};
    rd_kafka_conf_set(settings, "bootstrap.servers", servers.c_str(), error.data(), error.size());
    rd_kafka_conf_set(settings, "log_level", "0", error.data(), error.size());
    // Where librdkafka knows it (2.5), its default makes each end of a client wait for 1 s.
    rd_kafka_conf_set(settings, "enable.metrics.push", "false", error.data(), error.size());
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, settings, error.data(), error.size()));
    if (!client_) throw std::runtime_error{error.data()};
    answers_.reset(rd_kafka_queue_new(client_.get()));
  }

  /// Returns when every partition has a leader. `config` as in `kafka-topics --config`.
  void create_topic(const std::string& name, int partitions = 1,
                    const std::map<std::string, std::string>& config = {}) {
    std::array<char, 512> error{};
    const std::unique_ptr<rd_kafka_NewTopic_t, KafkaReleasedBy<rd_kafka_NewTopic_destroy>> topic{
        rd_kafka_NewTopic_new(name.c_str(), partitions, 1, error.data(), error.size())};
    if (!topic) throw std::runtime_error{error.data()};
    for (const auto& [key, value] : config) {
      rd_kafka_NewTopic_set_config(topic.get(), key.c_str(), value.c_str());
    }
    rd_kafka_NewTopic_t* asked = topic.get();
    rd_kafka_CreateTopics(client_.get(), &asked, 1, nullptr, answers_.get());
    await("create " + name);
    await_leaders(name);
  }

  void delete_topic(const std::string& name) {
    const std::unique_ptr<rd_kafka_DeleteTopic_t, KafkaReleasedBy<rd_kafka_DeleteTopic_destroy>>
        topic{rd_kafka_DeleteTopic_new(name.c_str())};
    rd_kafka_DeleteTopic_t* asked = topic.get();
    rd_kafka_DeleteTopics(client_.get(), &asked, 1, nullptr, answers_.get());
    await("delete " + name);
  }

  /// More partitions than it has.
  void raise_partitions(const std::string& name, std::size_t partitions) {
    std::array<char, 512> error{};
    const std::unique_ptr<rd_kafka_NewPartitions_t, KafkaReleasedBy<rd_kafka_NewPartitions_destroy>>
        raised{rd_kafka_NewPartitions_new(name.c_str(), partitions, error.data(), error.size())};
    if (!raised) throw std::runtime_error{error.data()};
    rd_kafka_NewPartitions_t* asked = raised.get();
    rd_kafka_CreatePartitions(client_.get(), &asked, 1, nullptr, answers_.get());
    await("raise the partitions of " + name);
  }

  /// Sets one of the topic's settings, and puts all others back to their defaults.
  void configure_topic(const std::string& name, const std::string& key, const std::string& value) {
    const std::unique_ptr<rd_kafka_ConfigResource_t,
                          KafkaReleasedBy<rd_kafka_ConfigResource_destroy>>
        resource{rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str())};
    rd_kafka_ConfigResource_set_config(resource.get(), key.c_str(), value.c_str());
    rd_kafka_ConfigResource_t* asked = resource.get();
    rd_kafka_AlterConfigs(client_.get(), &asked, 1, nullptr, answers_.get());
    await("configure " + name);
  }

  /// From now on nobody may write to the topic; everything else stays allowed.
  void revoke_writes(const std::string& topic) {
    // One after the other: a topic that has an ACL allows only what one of them allows, and a
    // client that may not even see it, for a moment, takes it for deleted.
    create_acl(topic, RD_KAFKA_ACL_OPERATION_ALL, RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW);
    create_acl(topic, RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_ACL_PERMISSION_TYPE_DENY);
  }

  /// What revoke_writes() took is given back.
  void give_back_writes(const std::string& topic) {
    delete_acls(topic, RD_KAFKA_ACL_OPERATION_WRITE);
    delete_acls(topic, RD_KAFKA_ACL_OPERATION_ALL);
  }

 private:
  using Acl = std::unique_ptr<rd_kafka_AclBinding_t, KafkaReleasedBy<rd_kafka_AclBinding_destroy>>;
  static constexpr int answer_ms_max = 30'000;

  void create_acl(const std::string& topic, rd_kafka_AclOperation_t operation,
                  rd_kafka_AclPermissionType_t permission) {
    std::array<char, 512> error{};
    const Acl acl{rd_kafka_AclBinding_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str(),
                                          RD_KAFKA_RESOURCE_PATTERN_LITERAL, "User:*", "*",
                                          operation, permission, error.data(), error.size())};
    if (!acl) throw std::runtime_error{error.data()};
    rd_kafka_AclBinding_t* asked = acl.get();
    rd_kafka_CreateAcls(client_.get(), &asked, 1, nullptr, answers_.get());
    await("create an ACL of " + topic);
  }

  void delete_acls(const std::string& topic, rd_kafka_AclOperation_t operation) {
    std::array<char, 512> error{};
    const Acl filter{rd_kafka_AclBindingFilter_new(
        RD_KAFKA_RESOURCE_TOPIC, topic.c_str(), RD_KAFKA_RESOURCE_PATTERN_LITERAL, nullptr, nullptr,
        operation, RD_KAFKA_ACL_PERMISSION_TYPE_ANY, error.data(), error.size())};
    if (!filter) throw std::runtime_error{error.data()};
    rd_kafka_AclBindingFilter_t* asked = filter.get();
    rd_kafka_DeleteAcls(client_.get(), &asked, 1, nullptr, answers_.get());
    await("delete the ACLs of " + topic);
  }

  void await(const std::string& what) {
    const std::unique_ptr<rd_kafka_event_t, KafkaReleasedBy<rd_kafka_event_destroy>> event{
        rd_kafka_queue_poll(answers_.get(), answer_ms_max)};
    if (!event) throw std::runtime_error{what + ": no answer"};
    if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      throw std::runtime_error{what + ": " + rd_kafka_event_error_string(event.get())};
    }
    require_acls_done(event.get(), what);
    std::size_t count = 0;
    const rd_kafka_topic_result_t** results = nullptr;
    if (const auto* created = rd_kafka_event_CreateTopics_result(event.get())) {
      results = rd_kafka_CreateTopics_result_topics(created, &count);
    } else if (const auto* deleted = rd_kafka_event_DeleteTopics_result(event.get())) {
      results = rd_kafka_DeleteTopics_result_topics(deleted, &count);
    }
    for (const rd_kafka_topic_result_t* result : std::span{results, count}) {
      if (rd_kafka_topic_result_error(result) == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      const char* text = rd_kafka_topic_result_error_string(result);
      throw std::runtime_error{what + ": " + (text == nullptr ? "refused" : text)};
    }
  }

  static void require_acls_done(rd_kafka_event_t* event, const std::string& what) {
    std::vector<const rd_kafka_error_t*> errors;
    std::size_t count = 0;
    if (const auto* created = rd_kafka_event_CreateAcls_result(event)) {
      const rd_kafka_acl_result_t** const acls = rd_kafka_CreateAcls_result_acls(created, &count);
      for (const rd_kafka_acl_result_t* acl : std::span{acls, count})
        errors.push_back(rd_kafka_acl_result_error(acl));
    } else if (const auto* deleted = rd_kafka_event_DeleteAcls_result(event)) {
      const auto** const answers = rd_kafka_DeleteAcls_result_responses(deleted, &count);
      for (const rd_kafka_DeleteAcls_result_response_t* answer : std::span{answers, count})
        errors.push_back(rd_kafka_DeleteAcls_result_response_error(answer));
    }
    for (const rd_kafka_error_t* error : errors) {
      if (error != nullptr) throw std::runtime_error{what + ": " + rd_kafka_error_string(error)};
    }
  }

  void await_leaders(const std::string& name) {
    const std::unique_ptr<rd_kafka_topic_t, KafkaReleasedBy<rd_kafka_topic_destroy>> topic{
        rd_kafka_topic_new(client_.get(), name.c_str(), nullptr)};
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds{answer_ms_max};
    while (std::chrono::steady_clock::now() < deadline) {
      const rd_kafka_metadata_t* metadata = nullptr;
      if (rd_kafka_metadata(client_.get(), 0, topic.get(), &metadata, answer_ms_max) != 0) continue;
      const std::unique_ptr<const rd_kafka_metadata_t, KafkaReleasedBy<rd_kafka_metadata_destroy>>
          owned{metadata};
      if (metadata->topic_cnt == 1 && has_leaders(*metadata->topics)) return;
    }
    throw std::runtime_error{"create " + name + ": no leader"};
  }

  static bool has_leaders(const rd_kafka_metadata_topic_t& topic) {
    const std::span partitions{topic.partitions, static_cast<std::size_t>(topic.partition_cnt)};
    for (const auto& partition : partitions) {
      if (partition.leader < 0) return false;
    }
    return !partitions.empty();
  }

  std::unique_ptr<rd_kafka_t, KafkaReleasedBy<rd_kafka_destroy>> client_;
  std::unique_ptr<rd_kafka_queue_t, KafkaReleasedBy<rd_kafka_queue_destroy>> answers_;
};

}  // namespace spillway::test
