#include "runtime/rates.hpp"

#include <chrono>

namespace spillway::runtime {

void Rates::sample(core::Instant now, const Outcomes& outcomes) noexcept {
  const std::lock_guard lock{mutex_};
  if (count_ != 0 && now - sampled_at_ < std::chrono::seconds{1}) return;
  sampled_at_ = now;
  samples_[count_ % seconds] = outcomes;
  ++count_;
}

Rates::Shares Rates::shares(const Outcomes& outcomes) const noexcept {
  const std::lock_guard lock{mutex_};
  const Outcomes from = count_ < seconds ? samples_[0] : samples_[count_ % seconds];
  const auto delivered = static_cast<double>(outcomes.delivered - from.delivered);
  const auto spilled = static_cast<double>(outcomes.spilled - from.spilled);
  const double all =
      delivered + spilled + static_cast<double>(outcomes.dead_lettered - from.dead_lettered);
  if (all <= 0) return {};
  return {.delivered = delivered / all, .spilled = spilled / all};
}

}  // namespace spillway::runtime
