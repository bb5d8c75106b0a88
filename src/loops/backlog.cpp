#include "loops/backlog.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"
#include "journal/segment.hpp"

namespace spillway::loops {

using core::ResendCause;
using core::Seq;
using core::Stamp;

Backlog::Backlog(core::LaneIndex lane, journal::Journal& journal, handoff::HandOff& hand_off,
                 std::vector<journal::RecoveredRecord> recovered)
    : lane_{lane},
      journal_{journal},
      hand_off_{hand_off},
      recovered_{std::move(recovered)},
      gated_{journal.is_relaning()},
      next_seq_{journal.next_seq(lane)} {}

std::size_t Backlog::number_recovered() {
  if (gated_) return 0;
  for (const journal::RecoveredRecord& found : recovered_) {
    pending_.push_back({.record = found.record,
                        .seq = found.seq.value != 0 ? found.seq : give_seq(found.record),
                        .stamp = found.stamp,
                        .resend = found.submitted ? ResendCause::recovery : ResendCause::none});
    if (journal_.record(found.record).renumbered_from != 0) ++renumbered_open_;
  }
  journal_.set_next_seq(lane_, next_seq_);
  return std::exchange(recovered_, {}).size();
}

std::size_t Backlog::number_arrivals(core::Instant now) {
  hand_off_.drain_into(merge_);
  if (gated_) return 0;
  merge_.merge({static_cast<std::uint64_t>(now.time_since_epoch().count())});
  const auto ready = merge_.ready();
  const std::size_t count = ready.size();
  if (count == 0) return 0;
  for (const core::HandedOver& arrived : ready) {
    pending_.push_back(
        {.record = arrived.record, .seq = give_seq(arrived.record), .stamp = arrived.stamp});
  }
  journal_.set_next_seq(lane_, next_seq_);
  merge_.clear_ready();
  return count;
}

void Backlog::renumber(const PendingRecord& former) {
  core::RecordHeader& header = journal_.record(former.record);
  header.renumbered_from = former.seq.value;
  PendingRecord renumbered = former;
  renumbered.seq = give_seq(former.record);
  // An earlier sending of it may stand: a later process has to mark it too.
  if (former.resend != core::ResendCause::none) {
    journal::store_state(header, core::RecordState::submitted);
  }
  pending_.push_back(renumbered);
  journal_.set_next_seq(lane_, next_seq_);
  ++renumbered_open_;
}

void Backlog::on_written(core::RecordOffset record) noexcept {
  if (journal_.record(record).renumbered_from == 0) return;
  SPILLWAY_CHECK(renumbered_open_ != 0);
  --renumbered_open_;
}

void Backlog::put_back(std::span<const PendingRecord> records) {
  std::vector<PendingRecord> lower;
  while (!records.empty() && !pending_.empty() && pending_.front().seq < records.back().seq) {
    lower.push_back(pending_.pop_front());
  }
  while (!records.empty() || !lower.empty()) {
    const bool is_mine =
        records.empty() || (!lower.empty() && records.back().seq < lower.back().seq);
    pending_.push_front(is_mine ? lower.back() : records.back());
    if (is_mine)
      lower.pop_back();
    else
      records = records.first(records.size() - 1);
  }
}

Seq Backlog::give_seq(core::RecordOffset record) {
  core::RecordHeader& header = journal_.record(record);
  header.seq = next_seq_.value;
  journal::store_state(header, core::RecordState::numbered);
  return std::exchange(next_seq_, next_seq_.next());
}

std::optional<Stamp> Backlog::oldest() const noexcept {
  if (gated_) return Stamp{0};  // not even sorted yet
  if (!pending_.empty() && merge_.size() != 0) {
    return std::min(pending_.front().stamp, merge_.oldest().stamp);
  }
  if (!pending_.empty()) return pending_.front().stamp;
  if (merge_.size() != 0) return merge_.oldest().stamp;
  return std::nullopt;
}

}  // namespace spillway::loops
