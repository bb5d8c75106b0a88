#include "core/histogram.hpp"

#include <cmath>
#include <numeric>

namespace spillway::core {

std::uint64_t quantile(std::span<const std::uint64_t> counts, double fraction) noexcept {
  const std::uint64_t total = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  if (total == 0) return 0;
  const auto rank = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(total))));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) {
    seen += counts[bucket];
    if (seen >= rank) return upper_edge(bucket);
  }
  return upper_edge(counts.size() - 1);
}

}  // namespace spillway::core
