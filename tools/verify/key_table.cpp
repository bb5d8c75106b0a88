#include "verify/key_table.hpp"

#include <utility>

namespace spillway::verify {
namespace {

constexpr std::size_t entries_min = 1024;
constexpr std::uint64_t n_mask = (std::uint64_t{1} << key_table_n_bits) - 1;

}  // namespace

std::optional<KeyTable::Last> KeyTable::find(std::uint64_t hash) const noexcept {
  hash |= 1U;
  if (entries_.empty()) return std::nullopt;
  const Entry& entry = entries_[place_of(hash)];
  if (entry.hash == 0) return std::nullopt;
  return Last{.n = entry.packed & n_mask,
              .partition = static_cast<std::uint32_t>(entry.packed >> key_table_n_bits)};
}

void KeyTable::put(std::uint64_t hash, Last last) {
  hash |= 1U;
  if (used_ * 10 >= entries_.size() * 7) grow();
  Entry& entry = entries_[place_of(hash)];
  if (entry.hash == 0) ++used_;
  entry.hash = hash;
  entry.packed = (std::uint64_t{last.partition} << key_table_n_bits) | (last.n & n_mask);
}

// Linear probing; at most 7 in 10 entries are used, so there is always an empty one.
std::size_t KeyTable::place_of(std::uint64_t hash) const noexcept {
  const std::size_t mask = entries_.size() - 1;
  std::size_t place = (hash >> 20U) & mask;
  while (entries_[place].hash != 0 && entries_[place].hash != hash)
    place = (place + 1) & mask;
  return place;
}

void KeyTable::grow() {
  const std::vector<Entry> before = std::exchange(
      entries_, std::vector<Entry>(entries_.empty() ? entries_min : entries_.size() * 2));
  for (const Entry& entry : before) {
    if (entry.hash != 0) entries_[place_of(entry.hash)] = entry;
  }
}

}  // namespace spillway::verify
