#include "core/window.hpp"

#include "core/check.hpp"

namespace spillway::core {

void Window::drop_closed() noexcept {
  while (!entries_.empty() && entries_.front().closed) {
    SPILLWAY_CHECK(entries_.front().outcome.has_value());
    entries_.drop_front();
    ++base_;
    if (first_open_ != 0) --first_open_;
    if (first_unsettled_ != 0) --first_unsettled_;
  }
}

void Window::clear() noexcept {
  SPILLWAY_CHECK(open_ == 0);
  base_ += entries_.size();
  entries_.clear();
  first_open_ = 0;
  first_unsettled_ = 0;
}

std::optional<Instant> Window::oldest_open_at() noexcept {
  while (first_open_ < entries_.size() && entries_[first_open_].outcome)
    ++first_open_;
  if (first_open_ == entries_.size()) return std::nullopt;
  return entries_[first_open_].submitted_at;
}

std::optional<Stamp> Window::oldest_unsettled() noexcept {
  const auto is_safe = [](const InFlight& entry) { return entry.settled || entry.closed; };
  while (first_unsettled_ < entries_.size() && is_safe(entries_[first_unsettled_]))
    ++first_unsettled_;
  if (first_unsettled_ == entries_.size()) return std::nullopt;
  return entries_[first_unsettled_].stamp;
}

}  // namespace spillway::core
