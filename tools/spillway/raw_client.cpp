#include "raw_client.hpp"

#include <string_view>

namespace spillway::program {
namespace {

using namespace std::chrono_literals;

constexpr auto send_interval = 10ms;

}  // namespace

RawClient::RawClient(const KafkaConfig& kafka, const std::string& topic) {
  KafkaConf conf = make_conf(kafka);
  // A lane's settings, so that the two are compared like with like; but not idempotent: librdkafka
  // 2.0.2 turns fatal now and then when a broker is killed, and a yardstick must not break.
  set(*conf, "acks", "all");
  set(*conf, "max.in.flight", "1");
  set(*conf, "message.timeout.ms", "0");
  set(*conf, "linger.ms", "0.1");
  set(*conf, "socket.nagle.disable", "true");
  set(*conf, "socket.connection.setup.timeout.ms", "1000");
  set(*conf, "reconnect.backoff.ms", "1");
  set(*conf, "reconnect.backoff.max.ms", "20");
  set(*conf, "retry.backoff.ms", "2");
  set(*conf, "topic.metadata.refresh.fast.interval.ms", "20");
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_dr_msg_cb(conf.get(), [](rd_kafka_t* client, const rd_kafka_message_t* message,
                                             void* self) { on_report(client, message, self); });
  client_ = make_producer(std::move(conf));
  topic_.reset(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
  if (!topic_) throw CommandError{ExitCode::unusable, topic + ": no producer's topic"};
  thread_ = std::jthread{[this](const std::stop_token& stop) { send_and_poll(stop); }};
}

RawClient::~RawClient() {
  thread_.request_stop();
  thread_.join();
  // What it has not sent is of no use to anybody.
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                    RD_KAFKA_PURGE_F_NON_BLOCKING);
  rd_kafka_poll(client_.get(), 10);
}

std::optional<RawClient::Clock::time_point> RawClient::first_ack() const noexcept {
  const std::int64_t at = first_ack_ns_.load(std::memory_order_relaxed);
  if (at == 0) return std::nullopt;
  return Clock::time_point{std::chrono::nanoseconds{at}};
}

void RawClient::send_and_poll(const std::stop_token& stop) noexcept {
  std::string message = "a raw client's heartbeat";
  while (!stop.stop_requested()) {
    rd_kafka_produce(topic_.get(), RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, message.data(),
                     message.size(), nullptr, 0, nullptr);
    // Reports are waited for, not looked at in turns: the moment of an ack is what this is for.
    const auto next = Clock::now() + send_interval;
    for (auto now = Clock::now(); now < next; now = Clock::now()) {
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - now);
      rd_kafka_poll(client_.get(), static_cast<int>(wait.count()));
    }
  }
}

void RawClient::on_report(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* self) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  std::int64_t none = 0;
  // One thread reports, another may forget: only the first ack since then counts.
  static_cast<RawClient*>(self)->first_ack_ns_.compare_exchange_strong(
      none, Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
}

}  // namespace spillway::program
