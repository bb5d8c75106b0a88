// src/loops/relay_loop.hpp: the relay: from the outbox to Kafka, each stream in seq order.
//
//   token or ladder ──► scan, lease ──► read ahead ──► Broker ──acked prefix──► remove, next
//
// Its producer is never purged while it lives: when Kafka is away it keeps the head rows and sends
// them as soon as Kafka can take them. Rows leave the outbox only from the front, and only once
// acked.

#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/poll_ladder.hpp"
#include "core/ring_queue.hpp"
#include "handoff/counters.hpp"
#include "handoff/topic_directory.hpp"
#include "loops/dead_letter_teller.hpp"
#include "loops/producer_seat.hpp"
#include "loops/relay_stream.hpp"
#include "loops/relay_topics.hpp"
#include "ports/broker_supply.hpp"
#include "ports/log.hpp"
#include "ports/relay_store.hpp"
#include "ports/wakeup_channel.hpp"
#include "spillway/config.hpp"

namespace spillway::loops {

struct RelaySettings {
  core::Duration poll_start = std::chrono::milliseconds{100};
  std::size_t batch_rows_max = 1'000;
  std::size_t batch_bytes_max = std::size_t{8} << 20;
  std::size_t window_rows = 20'000;
  core::Duration unix_time_offset{};  ///< Add to an Instant: nanoseconds since 1970.
};

struct RelayWiring {
  ports::RelayStore& store;
  ports::WakeupReceiver& wakeups;
  ports::BrokerSupply& brokers;
  RelayTopics& topics;
  handoff::RelayCounters& counters;
  ports::Log& log;
  std::function<void(const DeadLetter&)> on_dead_letter;
};

/// @thread relay
class RelayLoop {
 public:
  RelayLoop(const RelaySettings& settings, RelayWiring wiring);

  /// Bounded work, no wait; how much was done.
  std::size_t step(core::Instant now);

  /// Something is under way, or rows wait: step again soon.
  [[nodiscard]] bool is_busy() const noexcept;
  /// Else: when to step again though nothing happened.
  [[nodiscard]] core::Instant next_look() const noexcept { return look_at_; }

  /// Rows were COMMITted in this process: as a token does, it says no more than that. @thread relay
  void on_news() noexcept;

  /// Reads nothing more; finishes what it has read. @thread relay
  void wind_down() noexcept { winding_down_ = true; }
  /// After wind_down(): all that was read is acked and removed, and the leases are returned.
  [[nodiscard]] bool is_wound_down() const noexcept { return winding_down_ && streams_.empty(); }

  [[nodiscard]] std::unique_ptr<ports::Broker> take_broker() noexcept {
    return producer_.release();
  }

 private:
  /// What is with the producer; its tag is its place. Holds the row's memory until the report.
  struct Sent {
    core::StreamId stream;
    std::uint64_t lease = 0;
    core::Seq seq;
    core::TopicIndex topic;
    std::shared_ptr<const ports::RowBatch> batch;
  };
  enum class Request : std::uint8_t { none, scan, read, finish, give_up };
  enum class Fed : std::uint8_t { gone, stays };

  std::size_t hear_wakeups(core::Instant now);
  void look_at_all() noexcept;
  std::size_t hear_store(core::Instant now);
  void on_lost();
  void on_scanned(const ports::RelayEvent& event, core::Instant now);
  void on_finished(core::Instant now);
  void drop(core::StreamId id);

  std::size_t hear_broker(core::Instant now);
  void on_report(const ports::Report& report, core::Instant now);
  void on_delivered(const QueuedRow& row, core::Instant now);
  void recall_if_fatal();

  std::size_t feed_kafka();
  std::size_t feed_alone(RelayStream& stream);
  Fed feed_one(RelayStream& stream, QueuedRow& queued);
  Fed submit(RelayStream& stream, QueuedRow& queued, core::TopicIndex topic);
  [[nodiscard]] std::uint64_t keep(const RelayStream& stream, const QueuedRow& queued,
                                   core::TopicIndex topic);

  std::size_t start_next(core::Instant now);
  bool finish_something();
  bool read_something(core::Instant now);
  bool scan_if_due(core::Instant now);
  [[nodiscard]] core::Duration look_spacing() const noexcept;
  bool give_up_something(core::Instant now);
  void begin(Request request, const RelayStream& stream);
  template <class Wants>
  [[nodiscard]] RelayStream* next_in_turn(Wants wants);
  void account_removed(const RelayStream& stream, core::Instant now);

  /// With the producer.
  [[nodiscard]] std::size_t rows_sent() const noexcept { return sent_.size() - free_tags_.size(); }
  [[nodiscard]] bool owes_reports() const noexcept { return rows_sent() != 0; }
  [[nodiscard]] RelayStream* find(core::StreamId id) noexcept;
  [[nodiscard]] std::size_t rows_kept() const noexcept;
  void note_kafka(core::Instant now, bool heard) noexcept;
  void publish_counters() noexcept;

  const RelaySettings settings_;
  RelayWiring with_;
  std::vector<std::unique_ptr<RelayStream>> streams_;
  std::uint64_t leases_taken_ = 0;
  std::map<core::StreamId, FormerLease> let_go_;

  Request request_ = Request::none;
  core::StreamId request_stream_;
  bool connected_ = false;
  bool look_soon_ = false;
  bool has_read_late_ = false;  // though a look was due
  bool winding_down_ = false;

  DeadLetterTeller teller_;
  ProducerSeat producer_;
  std::vector<ports::Report> reports_;  // as many as are heard at once
  bool recalled_ = false;
  bool alone_is_sent_ = false;
  std::vector<Sent> sent_;
  std::vector<std::uint64_t> free_tags_;
  std::size_t rows_sent_max_ = 0;  // grows with each ack

  core::PollLadder ladder_;
  core::Duration interval_{};  // the rung that is waited now
  core::Instant looked_at_{};
  core::Instant look_at_{};
  core::Instant idle_since_{};
  bool kafka_up_ = false;
  core::Instant kafka_up_since_{};
  core::Instant heard_kafka_at_{};
};

}  // namespace spillway::loops
