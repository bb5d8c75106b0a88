#include "loops/relay_stream.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace spillway::loops {

using core::Seq;

void RelayStream::resume(const ports::LeasedStream& leased) noexcept {
  leased_ = true;
  maybe_more_ = true;
  removing_ = 0;
  on_news(leased.written_through);
  // The removal that was under way when the session was lost was done after all.
  while (!rows_.empty() && rows_.front().row->seq <= leased.relayed_through) {
    SPILLWAY_CHECK(rows_.front().state == RowState::acked || rows_.front().state == RowState::dead);
    static_cast<void>(rows_.pop_front());
    if (next_waiting_ != 0) --next_waiting_;
    if (done_ != 0) --done_;
  }
  finished_ = std::max(finished_, leased.relayed_through);
  cursor_ = std::max(cursor_, finished_);
}

void RelayStream::on_news(Seq written_through) noexcept {
  written_ = std::max(written_, written_through);
}

void RelayStream::begin_read() noexcept {
  maybe_more_ = false;
  read_covers_ = written_;
}

void RelayStream::on_rows(const std::shared_ptr<const ports::RowBatch>& batch) {
  for (const ports::RelayRow& row : batch->rows()) {
    SPILLWAY_CHECK(row.seq > cursor_);
    cursor_ = row.seq;
    const bool is_suspect =
        row.seq <= former_.sent_through && row.resend == core::ResendCause::none;
    rows_.push_back({.batch = batch,
                     .row = &row,
                     .state = RowState::waiting,
                     .resend = is_suspect ? core::ResendCause::lease : row.resend,
                     .alone = row.send_alone});
  }
  // Seqs that never became rows, or are gone, are passed too.
  if (batch->rows().empty()) cursor_ = std::max(cursor_, read_covers_);
  on_news(cursor_);
}

QueuedRow* RelayStream::next_waiting() noexcept {
  while (next_waiting_ < rows_.size() && rows_[next_waiting_].state != RowState::waiting) {
    ++next_waiting_;
  }
  return next_waiting_ == rows_.size() || !leased_ ? nullptr : &rows_[next_waiting_];
}

void RelayStream::on_sent(QueuedRow& row) noexcept {
  row.state = RowState::sent;
}

void RelayStream::on_dead(QueuedRow& row, const char* error) noexcept {
  row.state = RowState::dead;
  row.error = error;
}

QueuedRow* RelayStream::find_sent(Seq seq) noexcept {
  std::size_t low = 0;
  std::size_t high = rows_.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (rows_[middle].row->seq < seq)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == rows_.size() || rows_[low].row->seq != seq) return nullptr;
  return rows_[low].state == RowState::sent ? &rows_[low] : nullptr;
}

void RelayStream::on_acked(QueuedRow& row, Partition in) {
  note_appended(row, in);
  row.state = RowState::acked;
}

void RelayStream::on_maybe_appended(QueuedRow& row, Partition in) {
  note_appended(row, in);
  row.resend = core::ResendCause::fatal;
  on_returned(row);
}

void RelayStream::note_appended(const QueuedRow& row, Partition in) {
  Seq& through = appended_through_[in];
  through = std::max(through, row.row->seq);
}

void RelayStream::on_returned(QueuedRow& row) noexcept {
  row.state = RowState::waiting;
  next_waiting_ = 0;
}

bool RelayStream::is_overtaken(const QueuedRow& row) const {
  if (!row.refused_in) return false;
  const auto through = appended_through_.find(*row.refused_in);
  return through != appended_through_.end() && through->second > row.row->seq;
}

std::size_t RelayStream::done_prefix() noexcept {
  while (done_ < rows_.size() &&
         (rows_[done_].state == RowState::acked || rows_[done_].state == RowState::dead)) {
    ++done_;
  }
  return done_;
}

bool RelayStream::wants_removal(std::size_t rows_enough) noexcept {
  if (!leased_ || removing_ != 0) return false;
  const std::size_t done = done_prefix();
  if (done == rows_.size()) return finished_ < cursor_;  // nothing else is going on
  return done >= rows_enough;
}

RelayStream::Removal RelayStream::begin_removal() {
  removing_ = done_prefix();
  // With nothing else read, what the cursor has passed without a row is passed as well.
  removing_through_ = removing_ == rows_.size() ? cursor_ : rows_[removing_ - 1].row->seq;
  Removal removal{.from = finished_, .through = removing_through_, .dead = {}};
  for (std::size_t i = 0; i < removing_; ++i) {
    if (rows_[i].state != RowState::dead) continue;
    removal.dead.push_back(
        {.seq = rows_[i].row->seq, .error = rows_[i].error, .resend = rows_[i].resend});
  }
  return removal;
}

void RelayStream::on_removed() noexcept {
  for (std::size_t i = 0; i < removing_; ++i)
    static_cast<void>(rows_.pop_front());
  next_waiting_ -= std::min(next_waiting_, removing_);
  done_ -= removing_;
  removing_ = 0;
  finished_ = removing_through_;
}

bool RelayStream::is_drained() const noexcept {
  return rows_.empty() && !maybe_more_ && finished_ >= written_;
}

std::size_t RelayStream::depth() const noexcept {
  const std::uint64_t unread = written_ > cursor_ ? written_.value - cursor_.value : 0;
  return rows_.size() + unread;
}

}  // namespace spillway::loops
