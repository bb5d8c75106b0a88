#include "loops/hold.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace spillway::loops {

using core::DeliveryOutcome;
using core::InFlight;
using core::ResendCause;

std::size_t Hold::begin() noexcept {
  std::size_t held = 0;
  for (std::size_t i = 0; i < window_.size(); ++i) {
    if (!window_[i].closed) ++held;
  }
  is_on_ = window_.size() != 0;
  next_copy_ = 0;
  release_asked_ = false;
  return held;
}

const InFlight* Hold::next_to_copy() noexcept {
  if (!is_on_ || release_asked_) return nullptr;
  for (; next_copy_ < window_.size(); ++next_copy_) {
    const InFlight& entry = window_[next_copy_];
    if (!entry.closed && !entry.settled) return &entry;
  }
  return nullptr;
}

AskedJob Hold::copy_next() noexcept {
  InFlight& entry = window_[next_copy_];
  entry.copied = true;
  return {.held = true,
          .record = entry.record,
          .seq = entry.seq,
          .stamp = entry.stamp,
          .bytes = entry.bytes,
          .window_index = next_copy_++};
}

void Hold::on_copy_withdrawn(std::size_t window_index) noexcept {
  window_[window_index].copied = false;
  next_copy_ = std::min(next_copy_, window_index);
}

ReleaseOrder Hold::release_order() const {
  ReleaseOrder order;
  for (std::size_t i = 0; i < window_.size(); ++i) {
    const InFlight& entry = window_[i];
    if (!entry.copied) continue;
    order.held_through = entry.seq;
    if (entry.closed) continue;  // renumbered: its copy goes with the delivered ones'
    switch (entry.known_outcome()) {
      case DeliveryOutcome::delivered:
        break;
      case DeliveryOutcome::refused:
        order.unfinished.push_back({.seq = entry.seq, .dead_letter_error = entry.error});
        break;
      case DeliveryOutcome::not_persisted:
        order.unfinished.push_back({.seq = entry.seq, .resend = entry.resend});
        break;
      case DeliveryOutcome::possibly_persisted:
        order.unfinished.push_back({.seq = entry.seq, .resend = ResendCause::fatal});
        break;
      case DeliveryOutcome::batch_refused:
        core::die("a refused batch is renumbered before the release");
    }
  }
  return order;
}

void Hold::end() noexcept {
  window_.clear();
  is_on_ = false;
  release_asked_ = false;
}

}  // namespace spillway::loops
