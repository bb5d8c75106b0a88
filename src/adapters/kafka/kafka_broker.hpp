// src/adapters/kafka/kafka_broker.hpp: ports::Broker as one idempotent producer of librdkafka.
//
//   submit() ──► TopicQueues ──producev, no copy──► librdkafka's threads ──► Kafka
//   poll()   ◄───────────────────reports───────────┘
//
// Nothing here decides what a failure means for a lane: it says what became of each record, and how
// the connection is. Reports, errors and statistics are handled inside poll() only; librdkafka's
// own threads touch nothing but a few atomics, and the log.

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "adapters/kafka/handles.hpp"
#include "adapters/kafka/settings.hpp"
#include "adapters/kafka/topic_queues.hpp"
#include "core/position.hpp"
#include "core/ring_queue.hpp"
#include "ports/broker.hpp"
#include "ports/log.hpp"

namespace spillway::kafka {

/// @thread one at a time, for everything but TopicResolver's calls
class KafkaBroker final : public ports::Broker {
  struct Passkey {};

 public:
  /// Connects by itself, for ever; `log` outlives it. librdkafka's threads inherit the CPUs of the
  /// caller: never a pinned thread.
  /// @thread housekeeper @blocks 1 ms, seldom 100 ms @throws StartError when librdkafka refuses the
  /// settings
  [[nodiscard]] static std::unique_ptr<KafkaBroker> make(const BrokerSettings& settings,
                                                         ports::Log& log);
  KafkaBroker(Passkey passkey, const BrokerSettings& settings, ports::Log& log);
  KafkaBroker(const KafkaBroker&) = delete;
  KafkaBroker& operator=(const KafkaBroker&) = delete;

  /// What is outstanding is given up without a report; no payload is read any more.
  /// @thread housekeeper, or any that is not pinned @blocks as make(); up to a name lookup's time
  ~KafkaBroker() override;

  /// @thread that of submit() @allocates for a new name; a new name also asks Kafka, without
  /// waiting
  [[nodiscard]] ports::TopicHandle open_topic(std::string_view name) override;

  [[nodiscard]] ports::SubmitResult submit(const ports::Submission& record) noexcept override;
  [[nodiscard]] const char* refusal() const noexcept override { return refusal_; }
  /// Whoever sleeps on notify_on_report() calls it until it returns 0. @blocks with
  /// BrokerSettings::in_batches, 1 ms after a few records' submission
  [[nodiscard]] std::size_t poll(std::span<ports::Report> reports) noexcept override;
  /// Those that librdkafka never had.
  [[nodiscard]] std::vector<std::uint64_t> take_back() override;
  void recall() noexcept override;
  [[nodiscard]] ports::BrokerHealth health() const noexcept override;
  [[nodiscard]] std::size_t batch_bytes_max() const noexcept override { return batch_bytes_max_; }

  /// Records without a report, waiting ones among them.
  [[nodiscard]] std::size_t outstanding() const noexcept { return outstanding_; }

  /// From now on adds 1 to this non-blocking eventfd when poll() has something to do.
  void notify_on_report(int event_descriptor);

  /// Connected, and not warm yet. @thread any
  [[nodiscard]] bool waits_for_its_id() const noexcept {
    return brokers_up_.load(std::memory_order_relaxed) > 0 &&
           !warm_.load(std::memory_order_relaxed);
  }

  /// For drills and tests: the client turns fatal, as after an error of its sequence numbers.
  void inject_fatal(const char* reason) noexcept;

 private:
  friend class TopicResolver;
  struct Callbacks;  // what librdkafka calls

  /// A record with librdkafka; its address travels with the message.
  struct Sent {
    std::uint64_t tag = 0;
    core::Seq seq;
    PartitionQueue* queue = nullptr;
    std::int32_t partitions = 0;  ///< The number that the queue's partition goes with.
  };
  [[nodiscard]] Sent* keep(const ports::Submission& record, PartitionQueue& queue);

  [[nodiscard]] rd_kafka_resp_err_t hand_over(PartitionQueue& queue,
                                              const ports::Submission& record) noexcept;
  [[nodiscard]] bool leaves_some_behind(const PartitionQueue& queue) const noexcept;
  void hand_over_waiting(PartitionQueue& queue) noexcept;
  [[nodiscard]] bool has_turn() const noexcept;
  void await_turn(PartitionQueue& queue);
  void hand_over_due() noexcept;
  void send_due_batches() noexcept;
  void report_unsent(PartitionQueue& queue, ports::DeliveryOutcome outcome,
                     rd_kafka_resp_err_t error) noexcept;
  void tell(const ports::Report& report) noexcept;
  void tell_own_reports() noexcept;
  void wake_poller() noexcept;

  void on_report(const rd_kafka_message_t& message) noexcept;
  void on_error(rd_kafka_resp_err_t error, std::string_view text);
  void on_fatal_error();
  void on_statistics(std::string_view json) noexcept;
  void note_reconnect();

  ports::Log& log_;
  const std::string servers_;
  const std::size_t batch_bytes_max_;
  const bool in_batches_;

  // Written by librdkafka's threads, read by ours. A hint about a moment that has passed: relaxed.
  std::atomic<int> brokers_up_{0};
  std::atomic<int> members_up_{0};     ///< Of these, the cluster's: without bootstrap addresses.
  std::atomic<unsigned> times_up_{0};  ///< How often the first broker came up.
  std::atomic<bool> warm_{false};      ///< Written by us, read by whoever hurries a cold one.

  bool interceptors_made_ = false;  ///< Written inside rd_kafka_new() only.
  Client client_;
  Queue reports_queue_;
  std::deque<TopicQueues> topics_;  ///< By TopicHandle; librdkafka's threads read addresses.
  std::unordered_map<std::string, ports::TopicHandle> handles_;
  std::map<std::string, TopicReference> primed_;  ///< TopicResolver's: @thread housekeeper

  std::deque<Sent> sent_;  ///< Addresses stay: librdkafka's threads read them too.
  std::vector<Sent*> free_sent_;
  std::size_t batches_ = 0;               ///< Partitions of which librdkafka has records.
  core::RingQueue<PartitionQueue*> due_;  ///< Librdkafka has none of theirs, and records wait.
  core::RingQueue<PartitionQueue::Clock::time_point> batches_due_;  ///< Earliest first.
  core::RingQueue<ports::Report> own_reports_;  ///< Of records that librdkafka never had.
  PartitionQueue::Clock::duration linger_{};
  PartitionQueue::Clock::time_point polled_at_{};
  std::int64_t polled_at_ms_ = 0;  ///< In Unix time; 0: librdkafka reads the clock for itself.
  core::PositionWriter positions_;
  int event_descriptor_ = -1;              ///< That of notify_on_report().
  std::span<ports::Report> free_reports_;  ///< Of the poll() under way.
  std::size_t outstanding_ = 0;
  const char* refusal_ = "";
  bool fatal_ = false;
  bool refused_ = false;
  unsigned times_up_seen_ = 0;
  std::chrono::steady_clock::time_point told_up_at_{};
  std::set<std::string> told_;  ///< Errors that the log has, since Kafka last answered.
};

}  // namespace spillway::kafka
