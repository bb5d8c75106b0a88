#include "support/sim/trace.hpp"

namespace spillway::sim {
namespace {

constexpr std::uint64_t fold(std::uint64_t hash, std::uint64_t value) noexcept {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15U;
  return hash ^ (hash >> 29U);
}

}  // namespace

void Trace::note(const Event& event) {
  hash_ = fold(hash_, static_cast<std::uint64_t>(event.at.time_since_epoch().count()));
  hash_ = fold(hash_, static_cast<std::uint64_t>(event.kind));
  hash_ = fold(hash_, event.stream.instance.value);
  hash_ = fold(hash_, event.stream.lane.value);
  hash_ = fold(hash_, event.first.value);
  hash_ = fold(hash_, event.last.value);
  if (keep_) events_.push_back(event);
}

}  // namespace spillway::sim
