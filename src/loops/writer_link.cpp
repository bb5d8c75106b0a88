#include "loops/writer_link.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/check.hpp"

namespace spillway::loops {
namespace {

constexpr core::Duration withdraw_interval = std::chrono::milliseconds{50};

}  // namespace

WriterLink::WriterLink(core::LaneIndex lane, SpillCredit credit, journal::Journal& journal,
                       handoff::Arrow<WriterJob>& to_writer,
                       handoff::Arrow<WriterReport>& from_writer)
    : lane_{lane},
      credit_{credit},
      journal_{journal},
      to_writer_{to_writer},
      from_writer_{from_writer},
      touched_{journal.outbox_touched(lane)},
      inherited_{touched_},
      stream_known_{!touched_} {}

void WriterLink::touch() {
  if (touched_) return;
  touched_ = true;
  journal_.set_outbox_touched(lane_, true);
}

void WriterLink::send_row(const AskedJob& row) {
  touch();
  if (first_row_.value == 0) first_row_ = row.seq;
  ++asked_rows_;
  asked_bytes_ += row.bytes;
  asked_.push_back(row);
  to_writer_.send({.kind = JobKind::row,
                   .held = row.held,
                   .resend = row.resend,
                   .record = row.record,
                   .seq = row.seq,
                   .error = "",
                   .release = nullptr});
}

void WriterLink::send_dead_letter(const AskedJob& letter, const char* error) {
  AskedJob job = letter;
  job.kind = JobKind::dead_letter;
  asked_.push_back(job);
  to_writer_.send({.kind = JobKind::dead_letter,
                   .held = false,
                   .resend = letter.resend,
                   .record = letter.record,
                   .seq = letter.seq,
                   .error = error,
                   .release = nullptr});
}

void WriterLink::send_release(std::unique_ptr<const ReleaseOrder> order) {
  AskedJob job;
  job.kind = JobKind::release;
  asked_.push_back(job);
  WriterJob message;
  message.kind = JobKind::release;
  message.release = std::move(order);
  to_writer_.send(std::move(message));
}

bool WriterLink::may_send_row() const noexcept {
  return stream_known_ && !withdrawing_ && asked_rows_ < credit_.rows_max &&
         asked_bytes_ < credit_.bytes_max;
}

bool WriterLink::could_withdraw() const noexcept {
  return touched_ && !inherited_ && rows_committed_ == 0 && asked_rows_ != 0;
}

bool WriterLink::withdraw(core::Instant now) {
  if (withdrawing_ || now - withdrawn_at_ < withdraw_interval) return false;
  withdrawing_ = true;
  withdrawn_at_ = now;
  WriterJob message;
  message.kind = JobKind::withdraw;
  to_writer_.send(std::move(message));
  return true;
}

std::optional<WriterReport> WriterLink::next_report() {
  WriterReport report;
  if (!from_writer_.receive(report)) return std::nullopt;
  switch (report.kind) {
    case WriterReportKind::done:
      break;
    case WriterReportKind::withdrawn:
      withdrawing_ = false;
      break;
    case WriterReportKind::stream:
      stream_known_ = true;
      written_through_ = std::max(written_through_, report.written_through);
      relayed_through_ = std::max(relayed_through_, report.relayed_through);
      break;
    case WriterReportKind::gate_opened:
      begin_anew();
      break;
  }
  return report;
}

AskedJob WriterLink::pop_done() {
  const AskedJob job = asked_.pop_front();
  if (job.kind == JobKind::row) {
    --asked_rows_;
    asked_bytes_ -= job.bytes;
    ++rows_committed_;
    written_through_ = std::max(written_through_, job.seq);
  }
  return job;
}

AskedJob WriterLink::pop_withdrawn() {
  const AskedJob job = asked_.pop_back();
  SPILLWAY_CHECK(job.kind != JobKind::dead_letter);
  if (job.kind == JobKind::row) {
    --asked_rows_;
    asked_bytes_ -= job.bytes;
  }
  if (asked_rows_ == 0 && rows_committed_ == 0 && !inherited_) begin_anew();
  return job;
}

bool WriterLink::outbox_drained() const noexcept {
  return touched_ && stream_known_ && asked_rows_ == 0 && relayed_through_ >= written_through_;
}

void WriterLink::begin_anew() {
  SPILLWAY_CHECK(asked_rows_ == 0);
  touched_ = false;
  inherited_ = false;
  rows_committed_ = 0;
  first_row_ = {};
  stream_known_ = true;
  journal_.set_outbox_touched(lane_, false);
}

std::size_t WriterLink::backlog_rows() const noexcept {
  if (!touched_) return 0;
  // Seqs between two episodes went to Kafka directly: count from this one's first row.
  const std::uint64_t passed =
      std::max(relayed_through_.value, first_row_.value == 0 ? 0 : first_row_.value - 1);
  const std::uint64_t written =
      written_through_.value > passed ? written_through_.value - passed : 0;
  return asked_rows_ + written;
}

std::optional<core::Stamp> WriterLink::oldest_asked() const noexcept {
  std::size_t first = 0;
  if (!asked_.empty() && asked_.front().kind == JobKind::release) ++first;
  // A held row's record is older than all behind it, and its lane's window knows it.
  if (first == asked_.size() || asked_[first].held) return std::nullopt;
  return asked_[first].stamp;
}

}  // namespace spillway::loops
