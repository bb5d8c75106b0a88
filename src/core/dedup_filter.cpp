#include "spillway/dedup_filter.hpp"

#include "core/position.hpp"

namespace spillway {

std::optional<Position> Position::parse(std::string_view text) noexcept {
  const auto parsed = core::parse_position(text);
  if (!parsed) return std::nullopt;
  return Position{.instance = parsed->stream.instance.value,
                  .lane = parsed->stream.lane.value,
                  .seq = parsed->seq.value};
}

bool DedupFilter::is_new(std::int32_t partition, const Position& position) {
  std::uint64_t& last =
      last_[{partition, position.instance, position.lane}];  // 0: none; seqs begin at 1
  if (position.seq <= last) return false;
  last = position.seq;
  return true;
}

}  // namespace spillway
