// src/loops/producer_seat.hpp: the producer that a lane or a relay works with, and the next one.
//
// There is a next one after a fatal error, and when a topic needs smaller batches. It takes over
// once the old one owes no report, and warm if Kafka is there: a cold one would look like an
// outage.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/time.hpp"
#include "ports/broker_supply.hpp"

namespace spillway::loops {

class ProducerSeat {
 public:
  explicit ProducerSeat(ports::BrokerSupply& supply);

  /// Orders the first one; takes what was made; changes over unless the old one `owes` reports.
  /// True when another producer has taken over.
  bool exchange(bool owes, core::Instant now);

  /// Null: none was made yet, or the last one was retired.
  [[nodiscard]] ports::Broker* get() const noexcept { return current_.get(); }
  /// What is not there is neither up nor warm.
  [[nodiscard]] ports::BrokerHealth health() const noexcept;

  /// Nothing may be submitted: there is none, it is dead, or it is about to be replaced.
  [[nodiscard]] bool is_closed() const noexcept { return !current_ || next_ || is_dead(); }
  /// Connected, with its producer id, and to stay.
  [[nodiscard]] bool is_warm() const noexcept;
  /// It turned fatal; recall() what it has, then retire() it.
  [[nodiscard]] bool is_dead() const noexcept;
  void mark_dead() noexcept { marked_dead_ = true; }
  void retire();

  /// Since when one waits to take over; nothing when none does.
  [[nodiscard]] std::optional<core::Instant> next_since() const noexcept;

  [[nodiscard]] ports::TopicHandle handle_of(core::TopicIndex topic, std::string_view name);
  /// False: first one with smaller batches must take over; it is ordered.
  [[nodiscard]] bool sends_batches_within(std::size_t bytes);

  /// Gives up the one at work; it may owe reports.
  [[nodiscard]] std::unique_ptr<ports::Broker> release() noexcept { return std::move(current_); }

 private:
  void order(std::size_t batch_bytes_max);

  ports::BrokerSupply& supply_;
  std::unique_ptr<ports::Broker> current_;
  std::unique_ptr<ports::Broker> next_;
  core::Instant next_since_{};
  std::vector<std::optional<ports::TopicHandle>> handles_;  // of current_, by TopicIndex
  bool ordered_ = false;
  bool marked_dead_ = false;
};

}  // namespace spillway::loops
