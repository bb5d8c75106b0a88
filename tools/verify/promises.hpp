// tools/verify/promises.hpp: what Spillway promises, by number and name.

#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace spillway::verify {

/// In the order of their numbers: the first is P1.
enum class Promise : std::uint8_t {
  publisher_order,
  causal_order,
  stream_order,
  no_loss,
  nothing_altered,
  one_position,
  gapless,
  no_unexplained_duplicate,
  duplicates_stutter,
  conservation,
  true_outcomes,
  bounded_memory,
  never_waits,
  wakeup_after_commit,
  release_and_return,
  dead_letters_kept,
  one_relay,
  deletes_acked_prefix,
  no_needless_spill,
  live_again,
  honest_close,
};
inline constexpr std::size_t promises = 21;

[[nodiscard]] constexpr std::size_t index_of(Promise promise) noexcept {
  return static_cast<std::size_t>(promise);
}
/// "P3".
[[nodiscard]] std::string number_of(Promise promise);
/// "stream order".
[[nodiscard]] std::string_view title_of(Promise promise) noexcept;

class PromiseSet {
 public:
  constexpr PromiseSet(std::initializer_list<Promise> members) noexcept {
    for (const Promise promise : members)
      bits_ |= std::uint32_t{1} << index_of(promise);
  }
  [[nodiscard]] constexpr bool has(Promise promise) const noexcept {
    return (bits_ >> index_of(promise) & 1U) != 0;
  }

 private:
  std::uint32_t bits_ = 0;
};

enum class Judgement : std::uint8_t { holds, violated, not_judged };
/// As a report has it: "holds", "VIOLATED", "not judged".
[[nodiscard]] std::string_view name_of(Judgement judgement) noexcept;

}  // namespace spillway::verify
