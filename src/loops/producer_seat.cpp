#include "loops/producer_seat.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/limits.hpp"

namespace spillway::loops {

ProducerSeat::ProducerSeat(ports::BrokerSupply& supply)
    : supply_{supply}, handles_(core::topics_max) {}

bool ProducerSeat::exchange(bool owes, core::Instant now) {
  if (!next_) {
    next_ = supply_.take();
    next_since_ = now;
  }
  if (!next_) {
    if (!current_) order(core::batch_bytes_default);
    return false;
  }
  if (owes) return false;
  // It owes no report, but it hears that it is connected, and grows warm, by being asked.
  std::array<ports::Report, 1> none;
  static_cast<void>(next_->poll(none));
  if (current_ && current_->health().up && !is_dead() && !next_->health().warm) return false;
  if (current_) supply_.retire(std::move(current_));
  current_ = std::move(next_);
  std::ranges::fill(handles_, std::nullopt);
  ordered_ = false;
  marked_dead_ = false;
  return true;
}

ports::BrokerHealth ProducerSeat::health() const noexcept {
  return current_ ? current_->health() : ports::BrokerHealth{};
}

bool ProducerSeat::is_warm() const noexcept {
  const ports::BrokerHealth seen = health();
  return !next_ && seen.up && seen.warm && !seen.refused && !is_dead();
}

bool ProducerSeat::is_dead() const noexcept {
  return current_ && (marked_dead_ || current_->health().fatal);
}

void ProducerSeat::retire() {
  if (current_) supply_.retire(std::move(current_));
  marked_dead_ = false;
}

std::optional<core::Instant> ProducerSeat::next_since() const noexcept {
  return next_ ? std::optional{next_since_} : std::nullopt;
}

ports::TopicHandle ProducerSeat::handle_of(core::TopicIndex topic, std::string_view name) {
  std::optional<ports::TopicHandle>& handle = handles_[topic.value];
  if (!handle) handle = current_->open_topic(name);
  return *handle;
}

bool ProducerSeat::sends_batches_within(std::size_t bytes) {
  if (current_->batch_bytes_max() <= bytes) return true;
  order(bytes);
  return false;
}

void ProducerSeat::order(std::size_t batch_bytes_max) {
  if (std::exchange(ordered_, true)) return;
  supply_.order(batch_bytes_max);
}

}  // namespace spillway::loops
