#include "core/routing.hpp"

#include <cstdint>
#include <cstring>

namespace spillway::core {
namespace {

constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15U;

std::uint64_t fold(std::uint64_t hash, std::uint64_t word) noexcept {
  hash = (hash ^ word) * multiplier;
  return hash ^ (hash >> 32U);
}

}  // namespace

LaneIndex lane_of_key(Bytes key, std::size_t lanes) noexcept {
  if (lanes == 1) return {0};
  std::uint64_t hash = key.size() * multiplier;
  while (key.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, key.data(), sizeof word);
    hash = fold(hash, word);
    key = key.subspan(sizeof word);
  }
  std::uint64_t tail = 0;
  if (!key.empty()) std::memcpy(&tail, key.data(), key.size());
  hash = fold(hash, tail);
  return {static_cast<std::uint16_t>((hash >> 16U) % lanes)};
}

std::uint32_t partition_without_key(Seq seq, std::uint32_t partitions) noexcept {
  constexpr std::uint64_t neighbours = 64;
  return static_cast<std::uint32_t>(seq.value / neighbours % partitions);
}

}  // namespace spillway::core
