#include "loops/writer_loop.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "core/check.hpp"
#include "core/record.hpp"

namespace spillway::loops {
namespace {

using core::Instant;
using ports::StoreEventKind;
using ports::StreamState;

constexpr std::size_t jobs_at_once = 256;
constexpr core::Duration retry_first = std::chrono::milliseconds{50};
constexpr core::Duration retry_last = std::chrono::seconds{2};
constexpr core::Duration ask_soon = std::chrono::milliseconds{2};
constexpr core::Duration ask_under_load = std::chrono::milliseconds{10};
constexpr core::Duration ask_late = std::chrono::milliseconds{50};

bool is_drained(const StreamState& stream) noexcept {
  return stream.relayed_through >= stream.written_through;
}

}  // namespace

WriterLoop::WriterLoop(const WriterSettings& settings, WriterWiring wiring,
                       const std::vector<WriterLane>& lanes)
    : settings_{settings},
      with_{std::move(wiring)},
      teller_{with_.log, with_.on_dead_letter},
      gated_{with_.journal.is_relaning()},
      backoff_{retry_first, retry_last, settings.seed},
      ask_interval_{ask_soon},
      arrived_(jobs_at_once) {
  lanes_.reserve(lanes.size());
  for (const WriterLane& arrows : lanes)
    lanes_.emplace_back(arrows);
}

std::size_t WriterLoop::step(Instant now) {
  with_.wakeups.poll(now);
  std::size_t work = take_jobs();
  work += hear_store(now);
  work += start_next(now);
  with_.counters.postgres_up.set(connected_ ? 1 : 0);
  with_.counters.redis_up.set(with_.wakeups.is_up() ? 1 : 0);
  return work;
}

std::size_t WriterLoop::take_jobs() {
  std::size_t taken = 0;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i];
    while (const std::size_t count = lane.arrows.jobs.receive(arrived_)) {
      for (WriterJob& job : std::span{arrived_}.first(count)) {
        if (job.kind == JobKind::withdraw)
          withdraw(lane, i);
        else
          lane.waiting.push_back(std::move(job));
      }
      taken += count;
    }
  }
  return taken;
}

// Only what was never begun: a transaction in doubt may have written its rows.
void WriterLoop::withdraw(Lane& lane, std::size_t index) {
  std::size_t given_back = 0;
  const bool is_begun = transaction_ && transaction_->lane == index;
  while ((!connected_ || failing_) && !is_begun && !lane.waiting.empty() &&
         lane.waiting.back().kind != JobKind::dead_letter) {
    static_cast<void>(lane.waiting.pop_back());
    ++given_back;
  }
  lane.arrows.reports.send({.kind = WriterReportKind::withdrawn, .jobs = given_back});
}

// ---- What Postgres says ----

std::size_t WriterLoop::hear_store(Instant now) {
  const ports::StoreEvent event = with_.store.poll(now);
  switch (event.kind) {
    case StoreEventKind::none:
      return 0;
    case StoreEventKind::connected:
      on_connected(event.streams, now);
      break;
    case StoreEventKind::committed:
      on_committed(now);
      break;
    case StoreEventKind::progress:
      asking_ = false;
      on_streams(event.streams);
      break;
    case StoreEventKind::lost:
      connected_ = false;
      asking_ = false;
      releasing_leftover_ = false;
      if (transaction_) transaction_->in_doubt = true;
      break;
    case StoreEventKind::refused:
    case StoreEventKind::retry:
      // Whatever it is, the jobs stay: they were promised, and nothing overtakes them.
      failing_ = true;
      transaction_.reset();
      asking_ = false;
      releasing_leftover_ = false;
      not_before_ = now + backoff_.next();
      break;
  }
  return 1;
}

void WriterLoop::on_connected(std::span<const StreamState> streams, Instant now) {
  connected_ = true;
  backoff_.reset();
  if (!std::exchange(asked_once_, true)) {
    for (const StreamState& stream : streams) {
      if (stream.held_through.value != 0) leftovers_.push_back(stream.lane);
    }
  }
  on_streams(streams);
  if (!transaction_) return;
  // The session that was lost is gone for good, so what Postgres says now stays true.
  const Lane& lane = lanes_[transaction_->lane];
  const bool is_written =
      transaction_->kind == JobKind::row && lane.stream.written_through >= transaction_->last;
  // A release and dead letters may be done twice.
  if (is_written)
    on_committed(now);
  else
    transaction_.reset();
}

void WriterLoop::on_committed(Instant now) {
  failing_ = false;
  if (std::exchange(releasing_leftover_, false)) {
    leftovers_.pop_back();
    with_.wakeups.notify();
    return;
  }
  SPILLWAY_CHECK(transaction_.has_value());
  const Transaction done = *std::exchange(transaction_, std::nullopt);
  Lane& lane = lanes_[done.lane];
  if (done.kind == JobKind::dead_letter) tell_dead_letters(lane, done.jobs, now);
  for (std::size_t i = 0; i < done.jobs; ++i)
    static_cast<void>(lane.waiting.pop_front());
  if (done.kind == JobKind::row) {
    lane.stream.written_through = std::max(lane.stream.written_through, done.last);
  }
  if (done.has_held) lane.is_held = true;
  if (done.kind == JobKind::release) lane.is_held = false;
  // After the COMMIT, never before: a relay that looks too early would go back to sleep.
  if (done.kind != JobKind::dead_letter && !lane.is_held) with_.wakeups.notify();
  ask_interval_ = ask_soon;
  backoff_.reset();
  lane.arrows.reports.send({.kind = WriterReportKind::done, .jobs = done.jobs});
}

void WriterLoop::on_streams(std::span<const StreamState> streams) {
  bool moved = false;
  for (const StreamState& stream : streams) {
    if (stream.lane.value >= lanes_.size()) continue;
    StreamState& known = lanes_[stream.lane.value].stream;
    moved = moved || stream.relayed_through > known.relayed_through;
    known = stream;
  }
  ask_interval_ = moved ? ask_soon : std::min(2 * ask_interval_, ask_late);
  if (gated_ && leftovers_.empty() && std::ranges::all_of(streams, is_drained)) open_gate();
  for (Lane& lane : lanes_) {
    lane.arrows.reports.send({.kind = WriterReportKind::stream,
                              .jobs = 0,
                              .written_through = lane.stream.written_through,
                              .relayed_through = lane.stream.relayed_through});
  }
}

void WriterLoop::open_gate() {
  gated_ = false;
  with_.journal.set_relaning(false);
  for (Lane& lane : lanes_)
    lane.arrows.reports.send({.kind = WriterReportKind::gate_opened});
}

void WriterLoop::tell_dead_letters(const Lane& lane, std::size_t jobs, Instant now) {
  for (std::size_t i = 0; i < jobs; ++i) {
    const WriterJob& job = lane.waiting[i];
    const ports::OutboxRow row = row_of(job);
    const core::LaneIndex index{with_.journal.record(job.record).lane};
    teller_.tell({.stream = {.instance = with_.journal.instance(), .lane = index},
                  .seq = job.seq,
                  .topic = row.topic,
                  .key = row.key,
                  .payload = row.payload,
                  .error = job.error},
                 now);
  }
}

// ---- What is begun ----

std::size_t WriterLoop::start_next(Instant now) {
  if (transaction_ || !with_.store.is_idle() || now < not_before_) return 0;
  if (release_leftovers()) return 1;
  // Under load there is always a job: a lane must hear all the same how far the relay is.
  if (now - asked_at_ >= ask_under_load && ask_progress(now)) return 1;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const std::size_t lane = (next_lane_ + i) % lanes_.size();
    if (lanes_[lane].waiting.empty() || waits_for_more(lanes_[lane], now)) continue;
    next_lane_ = lane + 1;
    start(lane, now);
    return 1;
  }
  return ask_progress(now) ? 1 : 0;
}

bool WriterLoop::release_leftovers() {
  if (leftovers_.empty()) return false;
  with_.log.write(LogLevel::warning,
                  "stream " + std::to_string(leftovers_.back().value) +
                      ": rows that a former process held go to the relay, marked recovery");
  releasing_leftover_ = true;
  with_.store.release_unknown(leftovers_.back());
  return true;
}

bool WriterLoop::waits_for_more(const Lane& lane, Instant now) const {
  return lane.waiting.back().kind == JobKind::row &&
         lane.waiting.size() < settings_.batch_rows_max / 4 &&
         now - lane.rows_begun_at < settings_.batch_spacing;
}

void WriterLoop::start(std::size_t lane, Instant now) {
  Lane& from = lanes_[lane];
  Transaction begun{.lane = lane, .kind = from.waiting.front().kind};
  const core::LaneIndex index{static_cast<std::uint16_t>(lane)};
  switch (begun.kind) {
    case JobKind::row:
      from.rows_begun_at = now;
      start_rows(from, begun);
      break;
    case JobKind::dead_letter:
      start_dead_letters(from, begun);
      break;
    case JobKind::release: {
      const ReleaseOrder& order = *from.waiting.front().release;
      begun.jobs = 1;
      with_.store.release(index, order.held_through, order.unfinished);
      break;
    }
    case JobKind::withdraw:
      core::die("a withdrawal is answered when it arrives");
  }
  transaction_ = begun;
}

void WriterLoop::start_rows(Lane& lane, Transaction& transaction) {
  rows_.clear();
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < lane.waiting.size() && rows_.size() < settings_.batch_rows_max; ++i) {
    const WriterJob& job = lane.waiting[i];
    if (job.kind != JobKind::row) break;  // a release has no record
    const std::size_t row_bytes = with_.journal.record(job.record).record_bytes;
    if (i != 0 && bytes + row_bytes > settings_.batch_bytes_max) break;
    bytes += row_bytes;
    rows_.push_back(row_of(job));
    transaction.has_held = transaction.has_held || job.held;
  }
  transaction.jobs = rows_.size();
  transaction.last = rows_.back().seq;
  with_.store.write_rows({static_cast<std::uint16_t>(transaction.lane)}, rows_);
}

void WriterLoop::start_dead_letters(Lane& lane, Transaction& transaction) {
  letters_.clear();
  for (std::size_t i = 0; i < lane.waiting.size() && letters_.size() < settings_.batch_rows_max;
       ++i) {
    const WriterJob& job = lane.waiting[i];
    if (job.kind != JobKind::dead_letter) break;
    letters_.push_back({.row = row_of(job), .error = job.error});
  }
  transaction.jobs = letters_.size();
  with_.store.write_dead_letters({static_cast<std::uint16_t>(transaction.lane)}, letters_);
}

// While rows of ours wait for a relay, their lane waits for this answer.
bool WriterLoop::ask_progress(Instant now) {
  const bool is_awaited = gated_ || std::ranges::any_of(lanes_, [](const Lane& lane) {
                            return !is_drained(lane.stream);
                          });
  if (!is_awaited || now - asked_at_ < ask_interval_) return false;
  asked_at_ = now;
  asking_ = true;
  with_.store.read_progress();
  return true;
}

ports::OutboxRow WriterLoop::row_of(const WriterJob& job) const {
  const core::RecordHeader& header = with_.journal.record(job.record);
  const core::RecordView view = core::view_of(header);
  const auto stamp = core::Duration{static_cast<core::Duration::rep>(header.stamp)};
  return {.seq = job.seq,
          .topic = with_.journal.topic_name(view.topic),
          .key = view.key,
          .payload = view.payload,
          .headers = view.headers,
          .accepted_at = {(stamp + settings_.unix_time_offset).count()},
          .event_time_ms = view.event_time_ms,
          .held = job.held,
          .resend = job.resend,
          .renumbered_from = {header.renumbered_from}};
}

}  // namespace spillway::loops
