// tools/verify/row_lives.hpp: for each row that ever was: when it came, was answered for, and went.

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "verify/history.hpp"

namespace spillway::verify {

struct RowLife {
  static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t seq = 0;
  std::uint64_t committed_ns = never;
  std::uint64_t answered_ns = never;
  std::uint64_t deleted_ns = never;
};

[[nodiscard]] inline Position first_of(const SeqRange& rows) noexcept {
  return {.instance = rows.instance, .lane = rows.lane, .seq = rows.first};
}

class RowLives {
 public:
  explicit RowLives(const OutboxLog& log) {
    for (const CommitEvent& commit : log.commits) {
      auto& rows = streams_[{commit.rows.instance, commit.rows.lane}];
      for (std::uint64_t seq = commit.rows.first; seq <= commit.rows.last; ++seq)
        rows.push_back({.seq = seq, .committed_ns = commit.at_ns});
    }
    for (auto& [stream, rows] : streams_)
      std::ranges::sort(rows, {}, &RowLife::seq);
    for (const AckEvent& ack : log.acks) {
      each(ack.position.instance, ack.position.lane, ack.position.seq, ack.position.seq,
           [&](RowLife& row) { row.answered_ns = std::min(row.answered_ns, ack.at_ns); });
    }
    for (const DeleteEvent& deleted : log.deletes) {
      each(deleted.rows.instance, deleted.rows.lane, deleted.rows.first, deleted.rows.last,
           [&](RowLife& row) { row.deleted_ns = std::min(row.deleted_ns, deleted.at_ns); });
    }
  }

  /// In seq order.
  [[nodiscard]] std::span<const RowLife> of(std::uint64_t instance, std::uint16_t lane) const {
    const auto found = streams_.find({instance, lane});
    return found == streams_.end() ? std::span<const RowLife>{}
                                   : std::span<const RowLife>{found->second};
  }

 private:
  template <class Use>
  void each(std::uint64_t instance, std::uint16_t lane, std::uint64_t first, std::uint64_t last,
            const Use& use) {
    const auto found = streams_.find({instance, lane});
    if (found == streams_.end()) return;
    for (auto row = std::ranges::lower_bound(found->second, first, {}, &RowLife::seq);
         row != found->second.end() && row->seq <= last; ++row) {
      use(*row);
    }
  }

  std::map<std::pair<std::uint64_t, std::uint16_t>, std::vector<RowLife>> streams_;
};

}  // namespace spillway::verify
