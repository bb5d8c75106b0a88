#include "perf/common/raw_producer.hpp"

#include <bit>
#include <utility>

namespace spillway::perf {
namespace {

using program::CommandError;
using program::ExitCode;
using namespace std::chrono_literals;

// A lane's header, of the usual length. Its value is made once: the raw client has no number to
// tell.
constexpr std::string_view header_name = "spillway-position";
constexpr std::string_view header_value = "0123456789abcdef-0-1234567";

// As the opaque of a message, which is a pointer to librdkafka and nothing to us.
static_assert(sizeof(void*) == sizeof(std::uint64_t));

rd_kafka_headers_t* one_header() noexcept {
  rd_kafka_headers_t* const headers = rd_kafka_headers_new(1);
  rd_kafka_header_add(headers, header_name.data(), std::ssize(header_name), header_value.data(),
                      std::ssize(header_value));
  return headers;
}

}  // namespace

const std::map<std::string, std::string>& lane_properties() {
  // As in src/adapters/kafka/settings.cpp, which says why.
  static const std::map<std::string, std::string> properties{
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"message.timeout.ms", "0"},
      {"partitioner", "murmur2_random"},
      {"linger.ms", "0.1"},
      {"batch.num.messages", "10000"},
      {"socket.nagle.disable", "true"},
      {"socket.timeout.ms", "2000"},
      {"socket.connection.setup.timeout.ms", "1000"},
      {"reconnect.backoff.ms", "1"},
      {"reconnect.backoff.max.ms", "20"},
      {"retry.backoff.ms", "2"},
      {"topic.metadata.refresh.fast.interval.ms", "20"},
      {"topic.metadata.propagation.max.ms", "50"},
      {"broker.address.family", "v4"}};
  return properties;
}

RawProducer::RawProducer(const KafkaConfig& kafka, const std::string& topic,
                         const RawSettings& settings, OnAck on_ack)
    : with_header_{settings.with_header}, on_ack_{std::move(on_ack)} {
  program::KafkaConf conf{rd_kafka_conf_new()};
  for (const auto& [name, value] : lane_properties())
    program::set(*conf, name, value);
  program::set(*conf, "bootstrap.servers", kafka.bootstrap_servers);
  program::set(*conf, "queue.buffering.max.messages", std::to_string(settings.in_flight_max));
  program::set(*conf, "queue.buffering.max.kbytes", "2097151");
  for (const auto* properties : {&kafka.properties, &settings.properties}) {
    for (const auto& [name, value] : *properties)
      program::set(*conf, name, value);
  }
  rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t*, int, const char*, const char*) {});
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_dr_msg_cb(conf.get(),
                              [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
                                static_cast<RawProducer*>(self)->on_report(*message);
                              });
  client_ = program::make_producer(std::move(conf));
  topic_.reset(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
  if (!topic_) throw CommandError{ExitCode::unusable, topic + ": no producer's topic"};
}

RawProducer::~RawProducer() {
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                    RD_KAFKA_PURGE_F_NON_BLOCKING);
  on_ack_ = {};
  static_cast<void>(drain(std::chrono::steady_clock::now() + 1s));
}

bool RawProducer::send(std::string_view key, Bytes payload, std::uint64_t tag) {
  const rd_kafka_resp_err_t error = produce(key, payload, std::bit_cast<void*>(tag));
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
  if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
  throw CommandError{ExitCode::unusable,
                     std::string{"librdkafka refuses a message: "} + rd_kafka_err2str(error)};
}

rd_kafka_resp_err_t RawProducer::produce(std::string_view key, Bytes payload, void* tag) noexcept {
  if (!with_header_) {
    constexpr int read_only = 0;
    // librdkafka takes what it only reads as void*.
    void* const bytes = const_cast<std::byte*>(payload.data());  // NOLINT
    if (rd_kafka_produce(topic_.get(), RD_KAFKA_PARTITION_UA, read_only, bytes, payload.size(),
                         key.data(), key.size(), tag) == 0) {
      return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    return rd_kafka_last_error();
  }
  rd_kafka_headers_t* const headers = one_header();
  const rd_kafka_resp_err_t error =
      rd_kafka_producev(client_.get(), RD_KAFKA_VTYPE_RKT, topic_.get(),              //
                        RD_KAFKA_VTYPE_KEY, key.data(), key.size(),                   //
                        RD_KAFKA_VTYPE_VALUE, payload.data(), payload.size(),         //
                        RD_KAFKA_VTYPE_HEADERS, headers, RD_KAFKA_VTYPE_OPAQUE, tag,  //
                        RD_KAFKA_VTYPE_END);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_headers_destroy(headers);
  return error;
}

bool RawProducer::drain(std::chrono::steady_clock::time_point deadline) noexcept {
  while (rd_kafka_outq_len(client_.get()) != 0) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    poll(10ms);
  }
  return true;
}

void RawProducer::on_report(const rd_kafka_message_t& message) noexcept {
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    failed_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  acked_.fetch_add(1, std::memory_order_relaxed);
  if (on_ack_) on_ack_(std::bit_cast<std::uint64_t>(message._private));
}

}  // namespace spillway::perf
