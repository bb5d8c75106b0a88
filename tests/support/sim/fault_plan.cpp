#include "support/sim/fault_plan.hpp"

namespace spillway::sim {
namespace {

// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
constexpr std::uint64_t scramble(std::uint64_t value) noexcept {
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

constexpr std::uint64_t golden = 0x9E3779B97F4A7C15U;

}  // namespace

std::uint64_t mix(std::uint64_t seed, Choice kind, ActorId actor, std::uint64_t n) noexcept {
  const std::uint64_t who = (std::uint64_t{actor.value} << 8U) | static_cast<std::uint8_t>(kind);
  return scramble(scramble(scramble(seed + golden) ^ (who + golden)) ^ (n + golden));
}

std::uint64_t Decisions::next(Choice kind) noexcept {
  return mix(seed_, kind, actor_, counts_.at(static_cast<std::uint8_t>(kind))++);
}

bool Decisions::happens(Choice kind, Rate rate) noexcept {
  const DecisionId id{kind, actor_.value, counts_.at(static_cast<std::uint8_t>(kind))};
  bool yes = next(kind) % always.ppm < rate.ppm;
  if (log_ == nullptr) return yes;
  if (log_->allowed) yes = log_->allowed->contains(id);
  if (yes) log_->happened.push_back(id);
  return yes;
}

std::uint64_t Decisions::below(Choice kind, std::uint64_t bound) noexcept {
  return next(kind) % bound;
}

Duration Decisions::within(Choice kind, const DurationRange& range) noexcept {
  const auto width = static_cast<std::uint64_t>((range.max - range.min).count());
  return range.min + Duration{static_cast<Duration::rep>(next(kind) % (width + 1))};
}

}  // namespace spillway::sim
