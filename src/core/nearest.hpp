// src/core/nearest.hpp: what a misspelt word was probably meant to be.

#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace spillway::core {

/// Characters to insert, remove or replace (Levenshtein), of the first 64 of `to`.
[[nodiscard]] std::size_t edit_distance(std::string_view from, std::string_view to);

/// The candidate with the smallest distance; nothing when even that one differs in more than a
/// third.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      std::span<const std::string_view> candidates);

}  // namespace spillway::core
