// tests/history/mutation.hpp: one thing changed in a true history, and the promise that it breaks.

#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "history/random.hpp"
#include "verify/history.hpp"

namespace spillway::history {

struct Mutation {
  std::string_view id;
  std::string_view name;
  verify::Promise broken;
  /// False, and nothing is changed: the history has no site for it.
  bool (*apply)(verify::History& history, Random& random);
};

/// M1 to M79.
[[nodiscard]] std::vector<Mutation> all_mutations();

/// An input that is not whole: there is no verdict.
struct Damage {
  std::string_view id;
  std::string_view name;
  bool (*apply)(verify::History& history, Random& random);
};
[[nodiscard]] std::vector<Damage> all_damages();

/// A change that no promise forbids.
[[nodiscard]] std::vector<Damage> all_silent_changes();

// By family; each file is one.
[[nodiscard]] std::span<const Mutation> losses();
[[nodiscard]] std::span<const Mutation> duplicates();
[[nodiscard]] std::span<const Mutation> reorders();
[[nodiscard]] std::span<const Mutation> identities();
[[nodiscard]] std::span<const Mutation> contents();
[[nodiscard]] std::span<const Mutation> ledgers();
[[nodiscard]] std::span<const Mutation> timings();

}  // namespace spillway::history
