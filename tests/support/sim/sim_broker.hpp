// tests/support/sim/sim_broker.hpp: a Kafka producer in a simulated world.
//
// As librdkafka's idempotent producer is (client-facts.md 1.4, 1.5): left alone it finishes what it
// has exactly once and in order, whatever the connection does; recalled or destroyed it stops, and
// what it had sent keeps a fate of its own. The payload is read again at every sending.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ports/broker.hpp"
#include "support/sim/sim_world.hpp"

namespace spillway::sim {

struct SimBrokerSettings {
  ActorId actor;
  std::size_t batch_bytes_max = 900'000;
  std::size_t message_bytes_max = 900'000;  ///< One alone may be larger than a batch.
  std::size_t batch_records_max = 1'000;
  std::size_t requests_in_flight_max = 1;  ///< Per partition; 5 at most in a real client.
  std::size_t queue_records_max = 1'000'000;
};

class SimBroker final : public ports::Broker, private WorldPart {
 public:
  SimBroker(World& world, const SimBrokerSettings& settings);
  ~SimBroker() override;

  [[nodiscard]] ports::TopicHandle open_topic(std::string_view name) override;
  [[nodiscard]] ports::SubmitResult submit(const ports::Submission& record) noexcept override;
  [[nodiscard]] const char* refusal() const noexcept override { return refusal_; }
  [[nodiscard]] std::size_t poll(std::span<ports::Report> reports) noexcept override;
  [[nodiscard]] std::vector<std::uint64_t> take_back() override;
  void recall() noexcept override;
  [[nodiscard]] ports::BrokerHealth health() const noexcept override;
  [[nodiscard]] std::size_t batch_bytes_max() const noexcept override {
    return settings_.batch_bytes_max;
  }

  /// As rd_kafka_test_fatal_error().
  void turn_fatal() noexcept;
  /// Records submitted and not yet reported.
  [[nodiscard]] std::size_t outstanding() const noexcept { return outstanding_; }

 private:
  struct Pending {
    std::uint64_t tag = 0;
    ByteString key;
    bool has_key = false;
    std::optional<ports::Bytes> payload;
    std::vector<LogHeader> headers;
    std::optional<std::int64_t> event_time_ms;
    ports::Provenance provenance;
    std::size_t bytes = 0;
    std::int32_t partition = ports::unknown_partition;
  };
  /// Records that were sent together, and are whenever it is tried again.
  struct Batch {
    std::size_t records = 0;
    std::optional<RequestId> request = std::nullopt;  ///< Nothing: to be sent again.
    std::optional<Answer> answer = std::nullopt;
    Instant answer_at = {};
  };
  /// One partition's records in order; the first ones are in `batches`, the others were never sent.
  struct Pipe {
    std::deque<Pending> records;
    std::deque<Batch> batches;
    std::uint64_t first_sequence = 0;
    Instant last_due = {};  ///< Arrival of the latest request.
    Instant retry_at = {};  ///< Nothing is sent before.
    [[nodiscard]] std::size_t sent() const noexcept;
  };
  struct TopicEntry {
    std::string name;
    std::uint32_t partitions = 0;  ///< 0: not asked yet.
    std::size_t message_bytes_max = 0;
    bool is_unknown = false;
    std::deque<Pending> unassigned;
    std::map<std::uint32_t, Pipe> pipes;
  };

  void advance(Instant now) override;
  [[nodiscard]] std::optional<Instant> next_event() const override;

  void keep_connection(Instant now);
  void keep_producer_id(Instant now);
  void lose_connection(Instant now) noexcept;
  [[nodiscard]] bool can_send() const noexcept;
  void resolve(TopicEntry& topic);
  void assign(TopicEntry& topic, Pending record);
  void send_due(const TopicEntry& topic, std::uint32_t partition, Pipe& pipe, Instant now);
  void send(const TopicEntry& topic, std::uint32_t partition, Pipe& pipe, std::size_t first,
            Batch& batch, Instant now);
  [[nodiscard]] Batch cut_batch(const Pipe& pipe, std::size_t first);
  void receive(Pipe& pipe, Instant now);
  void finish(Pipe& pipe, const Batch& batch);
  /// Everything under way for the partition, in order, after a moment.
  void send_again(Pipe& pipe, Instant now);
  /// Reports the records from `first` on and forgets them.
  void report_from(std::deque<Pending>& records, std::size_t first, ports::DeliveryOutcome outcome,
                   const Answer& why);
  void take_back_from(std::deque<Pending>& records, std::size_t sent,
                      std::vector<std::uint64_t>& tags);
  void purge_queued() noexcept;
  void count_recall(std::size_t reported_before) noexcept;
  [[nodiscard]] static LogRecord render(const Pending& record);

  World& world_;
  SimBrokerSettings settings_;
  Decisions decisions_;
  ProducerId id_;
  std::vector<TopicEntry> topics_;
  std::deque<ports::Report> reports_;
  std::size_t outstanding_ = 0;
  const char* refusal_ = "";
  bool connected_ = false;
  bool warm_ = false;
  bool fatal_ = false;
  bool recalled_ = false;
  std::uint64_t incarnation_ = 0;  ///< Of the server that it is connected to.
  Instant connect_at_;
  std::optional<Instant> producer_id_at_;
};

}  // namespace spillway::sim
