#include "adapters/kafka/topic_resolver.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "adapters/kafka/error_kinds.hpp"

namespace spillway::kafka {
namespace {

using std::chrono::milliseconds;

// What is left of a caller's patience.
class Budget {
 public:
  explicit Budget(milliseconds within) : ends_{std::chrono::steady_clock::now() + within} {}
  [[nodiscard]] int left_ms() const {
    const auto left = ends_ - std::chrono::steady_clock::now();
    return static_cast<int>(
        std::max<std::int64_t>(1, std::chrono::duration_cast<milliseconds>(left).count()));
  }

 private:
  std::chrono::steady_clock::time_point ends_;
};

struct MetadataAnswer {
  rd_kafka_resp_err_t error;
  Metadata metadata;
};

// Without a topic: of those that the producer has.
MetadataAnswer ask_for_metadata(rd_kafka_t* client, rd_kafka_topic_t* topic, int within_ms) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, topic, &metadata, within_ms);
  return {.error = error, .metadata = Metadata{metadata}};
}

TopicStatus status_of(rd_kafka_resp_err_t error) noexcept {
  switch (static_cast<int>(error)) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return TopicStatus::exists;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return TopicStatus::missing;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return TopicStatus::not_authorized;
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return TopicStatus::not_a_name;
    default:
      return TopicStatus::unknown;
  }
}

// Nothing when the server does not say, or says that we may not know.
std::optional<std::size_t> number_in(const rd_kafka_DescribeConfigs_result_t* result,
                                     std::string_view setting) {
  std::size_t resource_count = 0;
  const rd_kafka_ConfigResource_t** const resources =
      rd_kafka_DescribeConfigs_result_resources(result, &resource_count);
  for (const rd_kafka_ConfigResource_t* resource : std::span{resources, resource_count}) {
    std::size_t count = 0;
    const rd_kafka_ConfigEntry_t** const entries =
        rd_kafka_ConfigResource_configs(resource, &count);
    for (const rd_kafka_ConfigEntry_t* entry : std::span{entries, count}) {
      const char* const value = rd_kafka_ConfigEntry_value(entry);
      if (value == nullptr || setting != rd_kafka_ConfigEntry_name(entry)) continue;
      const std::string_view text{value};
      std::size_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error == std::errc{} && end == text.data() + text.size()) return number;
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> ask_for_message_bytes_max(rd_kafka_t* client, const std::string& topic,
                                                     const Budget& budget) {
  const AdminOptions options{rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS)};
  (void)rd_kafka_AdminOptions_set_request_timeout(options.get(), budget.left_ms(), nullptr, 0);
  const Queue answers{rd_kafka_queue_new(client)};
  const ConfigResource resource{
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str())};
  rd_kafka_ConfigResource_t* asked = resource.get();

  rd_kafka_DescribeConfigs(client, &asked, 1, options.get(), answers.get());

  // The request's own timeout ends it first; the rest is for the client's timer.
  constexpr int timer_ms = 1'000;
  const Event event{rd_kafka_queue_poll(answers.get(), budget.left_ms() + timer_ms)};
  if (!event || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return std::nullopt;
  const auto* const result = rd_kafka_event_DescribeConfigs_result(event.get());
  return result == nullptr ? std::nullopt : number_in(result, "max.message.bytes");
}

bool has_a_leader_everywhere(const rd_kafka_metadata_topic_t& topic) {
  const std::span partitions{topic.partitions, static_cast<std::size_t>(topic.partition_cnt)};
  return !partitions.empty() && std::ranges::all_of(partitions, [](const auto& partition) {
    return partition.leader >= 0;
  });
}

}  // namespace

TopicAnswer TopicResolver::resolve(const std::string& name, milliseconds within) {
  const Budget budget{within};
  rd_kafka_t* const client = broker_.client_.get();
  TopicReference topic{rd_kafka_topic_new(client, name.c_str(), nullptr)};
  if (!topic) return {.status = TopicStatus::not_a_name, .reason = "not a topic name"};

  const auto [error, metadata] = ask_for_metadata(client, topic.get(), budget.left_ms());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {.status = TopicStatus::unknown, .reason = describe(error)};
  }
  if (metadata->topic_cnt != 1) {
    return {.status = TopicStatus::unknown, .reason = "the answer does not hold the topic"};
  }
  const rd_kafka_metadata_topic_t& found = *metadata->topics;
  TopicAnswer answer{.status = status_of(found.err), .partitions = found.partition_cnt};
  if (answer.status != TopicStatus::exists) {
    answer.reason = describe(found.err);
    return answer;
  }
  broker_.primed_.insert_or_assign(name, std::move(topic));
  answer.message_bytes_max = ask_for_message_bytes_max(client, name, budget);
  return answer;
}

bool TopicResolver::prime(const std::string& name, milliseconds within) {
  const Budget budget{within};
  rd_kafka_t* const client = broker_.client_.get();
  auto& topic = broker_.primed_[name];
  if (!topic) topic.reset(rd_kafka_topic_new(client, name.c_str(), nullptr));
  if (!topic) return false;
  const auto answer = ask_for_metadata(client, topic.get(), budget.left_ms());
  return answer.error == RD_KAFKA_RESP_ERR_NO_ERROR && answer.metadata->topic_cnt == 1 &&
         has_a_leader_everywhere(*answer.metadata->topics);
}

bool TopicResolver::kick_metadata(milliseconds within) {
  const int within_ms = static_cast<int>(within.count());
  return ask_for_metadata(broker_.client_.get(), nullptr, within_ms).error ==
         RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace spillway::kafka
