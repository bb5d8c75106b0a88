// src/runtime/housekeeper.hpp: makes and ends producers, and asks Kafka about topics, off the
// lanes' CPUs.
//
// What it does may take seconds while Kafka is away, so nobody waits for it but Pipeline::topic().

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "adapters/kafka/kafka_broker.hpp"
#include "adapters/kafka/settings.hpp"
#include "core/time.hpp"
#include "handoff/arrow.hpp"
#include "handoff/topic_directory.hpp"
#include "loops/relay_topics.hpp"
#include "ports/broker_supply.hpp"
#include "ports/log.hpp"
#include "runtime/thread.hpp"

namespace spillway::runtime {

/// One lane's or relay's desk at the housekeeper: arrows each way.
class BrokerDesk final : public ports::BrokerSupply {
 public:
  BrokerDesk() = default;
  /// For a customer who sleeps: its producers add 1 to this eventfd when poll() has something to
  /// do.
  explicit BrokerDesk(int report_event) noexcept : report_event_{report_event} {}

  void order(std::size_t batch_bytes_max) override { orders_.send(batch_bytes_max); }
  [[nodiscard]] std::unique_ptr<ports::Broker> take() noexcept override;
  void retire(std::unique_ptr<ports::Broker> broker) noexcept override;

 private:
  friend class Housekeeper;
  int report_event_ = -1;
  handoff::Arrow<std::size_t> orders_;
  handoff::Arrow<std::unique_ptr<ports::Broker>> made_;
  handoff::Arrow<std::unique_ptr<ports::Broker>> retired_;
};

/// The topics of one directory, and how each is asked about.
class TopicDesk {
 public:
  explicit TopicDesk(handoff::TopicDirectory& directory) noexcept : directory_{directory} {}

  [[nodiscard]] handoff::Arrow<loops::TopicQuestion>& questions() noexcept { return questions_; }

 private:
  friend class Housekeeper;
  struct Topic {
    std::string name;
    core::Instant ask_at{};
    core::Instant
        missing_since{};  ///< Asked again for a while: a broker that starts knows no topic yet.
  };
  handoff::TopicDirectory& directory_;
  handoff::Arrow<loops::TopicQuestion> questions_;
  std::map<std::uint16_t, Topic> topics_;  // @thread housekeeper
};

class Housekeeper {
 public:
  Housekeeper(kafka::BrokerSettings settings, ports::Log& log);

  /// Before start(). Each desk outlives the housekeeper's thread.
  void serve(BrokerDesk& desk) { broker_desks_.push_back(&desk); }
  void serve(TopicDesk& desk) { topic_desks_.push_back(&desk); }

  void start();
  /// Ends every producer that was retired. What was given out and not retired is its holder's.
  void stop() noexcept;

  /// Waits until a question that was sent is answered; `unasked` when it was not. @thread any
  /// @blocks until `deadline`
  [[nodiscard]] handoff::TopicStanding wait_for(const handoff::TopicDirectory& directory,
                                                core::TopicIndex topic,
                                                std::chrono::steady_clock::time_point deadline);

 private:
  std::size_t step(core::Instant now);
  std::size_t make_and_end();
  void make(BrokerDesk& desk, std::size_t batch_bytes_max);
  std::size_t hurry_cold_producers(core::Instant now);
  std::size_t ask(core::Instant now);
  void ask_about(TopicDesk& desk, std::uint16_t index, TopicDesk::Topic& topic, core::Instant now);
  void tell_all(const std::string& name, const handoff::TopicFacts& facts);
  void prime_everywhere(const std::string& name);

  kafka::BrokerSettings settings_;
  ports::Log& log_;
  std::vector<BrokerDesk*> broker_desks_;
  std::vector<TopicDesk*> topic_desks_;
  std::vector<kafka::KafkaBroker*> brokers_;  // made and not yet ended
  std::string make_error_;                    // the last one told
  core::Instant hurried_at_{};

  std::mutex answered_mutex_;
  std::condition_variable answered_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace spillway::runtime
