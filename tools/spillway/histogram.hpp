// tools/spillway/histogram.hpp: durations by size: one thread counts, any thread reads.
//
// Log-linear: below 2048 ns each value has a counter of its own; above, each power of two is cut
// into 1024, so a quantile is at most 0.1 % above the truth. To 2^40 ns (18 minutes); longer counts
// as that.

#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace spillway::program {

/// Which counter a value belongs to, and the largest value of a counter.
struct HistogramScale {
  static constexpr unsigned linear_bits = 11;
  static constexpr std::uint64_t half = std::uint64_t{1} << (linear_bits - 1);
  static constexpr unsigned value_bits = 40;
  static constexpr std::int64_t value_max = (std::int64_t{1} << value_bits) - 1;
  static constexpr std::size_t slots = (value_bits - linear_bits + 2) * half;

  [[nodiscard]] static constexpr std::size_t slot_of(std::uint64_t value) noexcept {
    if (value < 2 * half) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - linear_bits;
    return shift * half + (value >> shift);
  }
  [[nodiscard]] static constexpr std::uint64_t edge_of(std::size_t slot) noexcept {
    if (slot < 2 * half) return slot;
    const std::uint64_t shift = slot / half - 1;
    return ((slot - shift * half + 1) << shift) - 1;
  }
};
static_assert(HistogramScale::slots == 31'744);
static_assert(HistogramScale::slot_of(HistogramScale::value_max) == HistogramScale::slots - 1);
static_assert(HistogramScale::slot_of(HistogramScale::edge_of(5'000)) == 5'000);
static_assert(HistogramScale::slot_of(HistogramScale::edge_of(5'000) + 1) == 5'001);

class Histogram {
 public:
  Histogram() : counts_(HistogramScale::slots) {}

  /// @thread the one that counts
  void count(std::chrono::nanoseconds duration) noexcept {
    const auto value = std::clamp<std::int64_t>(duration.count(), 0, HistogramScale::value_max);
    // Relaxed: a reader may be a moment behind, and sees each counter whole.
    const std::atomic_ref counter{
        counts_[HistogramScale::slot_of(static_cast<std::uint64_t>(value))]};
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  /// @thread any; `this` is the caller's own
  void add(const Histogram& other) noexcept { combine(other, 1); }
  /// Leaves what was counted since `other` was a copy of this one.
  void subtract(const Histogram& other) noexcept { combine(other, ~std::uint64_t{0}); }

  [[nodiscard]] std::uint64_t count() const noexcept {
    std::uint64_t all = 0;
    for (std::size_t slot = 0; slot < counts_.size(); ++slot)
      all += at(slot);
    return all;
  }

  /// The upper edge of the slot that holds the `quantile`; 0 when nothing was counted.
  [[nodiscard]] std::chrono::nanoseconds quantile(double quantile) const noexcept {
    const std::uint64_t all = count();
    if (all == 0) return {};
    const auto wanted = static_cast<std::uint64_t>(quantile * static_cast<double>(all));
    std::uint64_t below = 0;
    for (std::size_t slot = 0; slot < counts_.size(); ++slot) {
      below += at(slot);
      if (below > wanted || below == all)
        return std::chrono::nanoseconds{HistogramScale::edge_of(slot)};
    }
    return std::chrono::nanoseconds{HistogramScale::value_max};
  }

  /// `use(upper edge in ns, count)` for each slot that counted something, ascending.
  template <class Use>
  void for_each(Use use) const {
    for (std::size_t slot = 0; slot < counts_.size(); ++slot) {
      if (const std::uint64_t counted = at(slot); counted != 0)
        use(HistogramScale::edge_of(slot), counted);
    }
  }

 private:
  [[nodiscard]] std::uint64_t at(std::size_t slot) const noexcept {
    return std::atomic_ref{counts_[slot]}.load(std::memory_order_relaxed);
  }
  void combine(const Histogram& other, std::uint64_t factor) noexcept {
    for (std::size_t slot = 0; slot < counts_.size(); ++slot)
      counts_[slot] += factor * other.at(slot);
  }

  mutable std::vector<std::uint64_t> counts_;  // mutable: C++20's atomic_ref takes no const object
};

}  // namespace spillway::program
