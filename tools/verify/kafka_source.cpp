// tools/verify/kafka_source.cpp: a topic, read as fast as librdkafka gives it.
//
// No consumer group: all partitions feed one queue, and nothing is committed.

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <thread>
#include <utility>

#include <librdkafka/rdkafka.h>

#include "verify/sources.hpp"

namespace spillway::verify {
namespace {

template <auto release>
struct ReleasedBy {
  void operator()(auto* handle) const noexcept { release(handle); }
};
using Client = std::unique_ptr<rd_kafka_t, ReleasedBy<rd_kafka_destroy>>;
using Conf = std::unique_ptr<rd_kafka_conf_t, ReleasedBy<rd_kafka_conf_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, ReleasedBy<rd_kafka_topic_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, ReleasedBy<rd_kafka_queue_destroy>>;
using Message = std::unique_ptr<rd_kafka_message_t, ReleasedBy<rd_kafka_message_destroy>>;

struct MetadataDeleter {
  void operator()(const rd_kafka_metadata_t* metadata) const noexcept {
    rd_kafka_metadata_destroy(metadata);
  }
};
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, MetadataDeleter>;

constexpr std::size_t batch_messages = 4096;
constexpr int batch_wait_ms = 50;  // the last batch of a topic is not full, and waits so long
constexpr std::chrono::milliseconds ask_again_after{50};
constexpr std::uint64_t messages_between_progress = 65'536;

struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  bool started = false;
  bool done = false;
};

void set(rd_kafka_conf_t& conf, const std::string& name, const std::string& value) {
  std::array<char, 512> error{};
  if (rd_kafka_conf_set(&conf, name.c_str(), value.c_str(), error.data(), error.size()) !=
      RD_KAFKA_CONF_OK) {
    throw SourceError{"Kafka client setting " + name + ": " + error.data()};
  }
}

Client make_client(const KafkaAddress& address) {
  Conf conf{rd_kafka_conf_new()};
  set(*conf, "bootstrap.servers", address.bootstrap_servers);
  set(*conf, "client.id", "spillway-verify");
  set(*conf, "enable.partition.eof", "true");
  set(*conf, "isolation.level", "read_committed");
  set(*conf, "check.crcs", "true");
  set(*conf, "socket.nagle.disable", "true");
  set(*conf, "broker.address.family", "v4");
  set(*conf, "fetch.wait.max.ms", "50");
  for (const auto& [name, value] : address.properties)
    set(*conf, name, value);
  // What goes wrong is said once, by the audit.
  rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t*, int, const char*, const char*) {});
  std::array<char, 512> error{};
  Client client{rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), error.data(), error.size())};
  if (!client) throw SourceError{std::string{"Kafka client: "} + error.data()};
  // Ownership of the settings went to the client.
  static_cast<void>(conf.release());
  return client;
}

std::optional<Bytes> nullable(const void* data, std::size_t size) noexcept {
  if (data == nullptr) return std::nullopt;
  return Bytes{static_cast<const std::byte*>(data), size};
}

RecordReader record_of(const rd_kafka_message_t& message) {
  RecordReader record{nullable(message.key, message.key_len),
                      nullable(message.payload, message.len)};
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return record;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    record.take_header(name, nullable(value, size));
  }
  return record;
}

}  // namespace

struct TopicSource::Impl {
  KafkaAddress address;
  std::string name;
  Client client;
  Topic topic;
  Queue queue;
  std::vector<Range> ranges;  // by partition

  [[nodiscard]] int answer_ms() const { return static_cast<int>(address.answer_within.count()); }
  [[nodiscard]] rd_kafka_resp_err_t ask_ends(std::int32_t partition, Range& range);
  void start();
  void stop() noexcept;
  std::uint64_t visit_batch(std::span<rd_kafka_message_t*> batch,
                            const std::function<void(Place, const RecordReader&)>& visit);
};

TopicSource::TopicSource(const KafkaAddress& address, std::string topic)
    : impl_{std::make_unique<Impl>(Impl{.address = address,
                                        .name = std::move(topic),
                                        .client = make_client(address),
                                        .topic = {},
                                        .queue = {},
                                        .ranges = {}})} {
  impl_->topic.reset(rd_kafka_topic_new(impl_->client.get(), impl_->name.c_str(), nullptr));
  if (!impl_->topic) throw SourceError{"'" + impl_->name + "' is no topic's name"};
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t asked =
      rd_kafka_metadata(impl_->client.get(), 0, impl_->topic.get(), &answer, impl_->answer_ms());
  const Metadata metadata{answer};
  if (asked != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw SourceError{"Kafka at " + address.bootstrap_servers + ": " + rd_kafka_err2str(asked) +
                      "; is it running?"};
  }
  const rd_kafka_metadata_topic& found = metadata->topics[0];
  if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR || found.partition_cnt <= 0) {
    throw SourceError{"topic " + impl_->name + ": " + rd_kafka_err2str(found.err)};
  }
  impl_->ranges.resize(static_cast<std::size_t>(found.partition_cnt));
}

TopicSource::~TopicSource() {
  impl_->stop();
}

// That the partition is there, the metadata has told: of a broker that is busy, the client's own
// knowledge may lag behind.
rd_kafka_resp_err_t TopicSource::Impl::ask_ends(std::int32_t partition, Range& range) {
  const auto deadline = std::chrono::steady_clock::now() + address.answer_within;
  while (true) {
    const rd_kafka_resp_err_t asked = rd_kafka_query_watermark_offsets(
        client.get(), name.c_str(), partition, &range.begin, &range.end, answer_ms());
    if (asked != RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
        std::chrono::steady_clock::now() >= deadline) {
      return asked;
    }
    std::this_thread::sleep_for(ask_again_after);
  }
}

void TopicSource::fix_ends() {
  for (std::size_t partition = 0; partition < impl_->ranges.size(); ++partition) {
    Range& range = impl_->ranges[partition];
    const rd_kafka_resp_err_t asked = impl_->ask_ends(static_cast<std::int32_t>(partition), range);
    if (asked != RD_KAFKA_RESP_ERR_NO_ERROR) {
      throw SourceError{impl_->name + "-" + std::to_string(partition) +
                        ": no offsets from Kafka: " + rd_kafka_err2str(asked)};
    }
    range.done = range.begin == range.end;
  }
}

bool TopicSource::has_lost_its_beginning() const noexcept {
  return std::ranges::any_of(impl_->ranges, [](const Range& range) { return range.begin > 0; });
}

std::uint32_t TopicSource::partitions() const noexcept {
  return static_cast<std::uint32_t>(impl_->ranges.size());
}

void TopicSource::Impl::start() {
  queue.reset(rd_kafka_queue_new(client.get()));
  for (std::size_t partition = 0; partition < ranges.size(); ++partition) {
    Range& range = ranges[partition];
    if (range.done) continue;
    if (rd_kafka_consume_start_queue(topic.get(), static_cast<std::int32_t>(partition), range.begin,
                                     queue.get()) != 0) {
      throw SourceError{name + "-" + std::to_string(partition) + ": " +
                        rd_kafka_err2str(rd_kafka_last_error())};
    }
    range.started = true;
  }
}

void TopicSource::Impl::stop() noexcept {
  for (std::size_t partition = 0; partition < ranges.size(); ++partition) {
    if (!std::exchange(ranges[partition].started, false)) continue;
    rd_kafka_consume_stop(topic.get(), static_cast<std::int32_t>(partition));
  }
}

std::uint64_t TopicSource::Impl::visit_batch(
    std::span<rd_kafka_message_t*> batch,
    const std::function<void(Place, const RecordReader&)>& visit) {
  std::uint64_t visited = 0;
  for (rd_kafka_message_t* const raw : batch) {
    const Message message{raw};
    const auto partition = static_cast<std::size_t>(message->partition);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR &&
        message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      throw SourceError{name + "-" + std::to_string(message->partition) + ": " +
                        rd_kafka_message_errstr(message.get())};
    }
    Range& range = ranges.at(partition);
    const bool is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    // The end may lie behind control records, which nobody sees: then only the EOF tells.
    if (message->offset >= range.end || (!is_end && message->offset == range.end - 1)) {
      range.done = true;
    }
    if (is_end || message->offset >= range.end) continue;
    visit({.partition = static_cast<std::uint32_t>(partition),
           .offset = static_cast<std::uint64_t>(message->offset)},
          record_of(*message));
    ++visited;
  }
  return visited;
}

void TopicSource::read(const std::function<void(Place, const RecordReader&)>& visit,
                       const Progress& progress) {
  std::uint64_t all = 0;
  for (const Range& range : impl_->ranges)
    all += static_cast<std::uint64_t>(range.end - range.begin);
  const auto all_done = [&] { return std::ranges::all_of(impl_->ranges, &Range::done); };
  std::vector<rd_kafka_message_t*> batch(batch_messages);
  std::uint64_t done = 0;
  std::uint64_t told = 0;
  auto heard_at = std::chrono::steady_clock::now();

  impl_->start();
  while (!all_done()) {
    const auto got =
        rd_kafka_consume_batch_queue(impl_->queue.get(), batch_wait_ms, batch.data(), batch.size());
    const auto now = std::chrono::steady_clock::now();
    if (got > 0) {
      done += impl_->visit_batch(std::span{batch}.first(static_cast<std::size_t>(got)), visit);
      heard_at = now;
    } else if (now - heard_at > impl_->address.silent_at_most) {
      throw SourceError{"Kafka has sent nothing of " + impl_->name + " for " +
                        std::to_string(impl_->address.silent_at_most.count()) + " ms"};
    }
    rd_kafka_poll(impl_->client.get(), 0);
    if (progress && done - told >= messages_between_progress) progress(told = done, all);
  }
  impl_->stop();
  if (progress) progress(done, all);
}

}  // namespace spillway::verify
