#include "core/nearest.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace spillway::core {
namespace {

// Longer than every key, and a bound for the row below.
constexpr std::size_t compared_chars_max = 64;

}  // namespace

std::size_t edit_distance(std::string_view from, std::string_view to) {
  to = to.substr(0, compared_chars_max);
  // The matrix's row for the characters of `from` so far.
  std::array<std::size_t, compared_chars_max + 1> row{};
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0U : 1U);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[to.size()];
}

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  std::optional<std::string_view> best;
  std::size_t best_distance = word.size() / 3 + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace spillway::core
