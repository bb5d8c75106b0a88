// include/spillway/dedup_filter.hpp: for consumers: a message is new, or a copy of one already
// seen.
//
// Every message carries the header `spillway-position`: "<instance, 16 hex digits>-<lane>-<seq>".
// First occurrences ascend by seq in each partition, so a copy is what is not above the last seq
// seen from that stream in that partition. State: one number for each (partition, stream).
//
// One case is beyond it: Kafka refused a batch for one record, and its sender died before it heard.
// The others of that batch come again with `spillway-resend`, maybe behind later ones, and are
// dropped. Who must not miss them looks up what has that header by a key of its own.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>

#include "spillway/export.hpp"

namespace spillway {

inline constexpr std::string_view position_header = "spillway-position";

struct Position {
  std::uint64_t instance = 0;
  std::uint32_t lane = 0;
  std::uint64_t seq = 0;

  /// The header's text. Nothing when it is not a position.
  [[nodiscard]] SPILLWAY_EXPORT static std::optional<Position> parse(
      std::string_view text) noexcept;
  friend constexpr bool operator==(const Position&, const Position&) noexcept = default;
};

/// One filter for each topic. @thread one at a time
class SPILLWAY_EXPORT DedupFilter {
 public:
  /// True the first time; false for a copy. Remembers it either way.
  /// @allocates once for each new (partition, stream)
  [[nodiscard]] bool is_new(std::int32_t partition, const Position& position);

  /// How many (partition, stream) pairs it remembers.
  [[nodiscard]] std::size_t size() const noexcept { return last_.size(); }

 private:
  std::map<std::tuple<std::int32_t, std::uint64_t, std::uint32_t>, std::uint64_t> last_;
};

}  // namespace spillway
