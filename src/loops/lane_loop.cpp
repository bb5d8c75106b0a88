#include "loops/lane_loop.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <utility>

#include "core/check.hpp"
#include "core/limits.hpp"
#include "journal/segment.hpp"
#include "loops/topic_admission.hpp"

namespace spillway::loops {
namespace {

using core::DeliveryOutcome;
using core::InFlight;
using core::Instant;
using core::RecordState;
using core::ResendCause;
using core::Seq;
using core::Stamp;
using handoff::TopicStanding;
using ports::SubmitResult;

constexpr std::size_t reports_at_once = 256;
constexpr std::size_t reports_in_a_step = 4'096;
constexpr std::size_t submissions_in_a_step = 1'024;
constexpr std::size_t transitions_in_a_step = 3;

Stamp stamp_of(Instant at) noexcept {
  return {static_cast<std::uint64_t>(at.time_since_epoch().count())};
}

std::uint64_t nanoseconds(core::Duration span) noexcept {
  return static_cast<std::uint64_t>(std::max(span, core::Duration::zero()).count());
}

}  // namespace

LaneLoop::LaneLoop(core::LaneIndex lane, const LaneSettings& settings, const LaneWiring& wiring,
                   std::vector<journal::RecoveredRecord> recovered)
    : lane_{lane},
      settings_{settings},
      journal_{wiring.journal},
      topics_{wiring.topics},
      counters_{wiring.counters},
      log_{wiring.log},
      writer_{lane, settings.credit, wiring.journal, wiring.to_writer, wiring.from_writer},
      releaser_{wiring.journal, wiring.counters.freed},
      backlog_{lane, wiring.journal, wiring.hand_off, std::move(recovered)},
      window_{settings.window},
      acks_{settings.limits.failover_after / 3},
      hold_{window_},
      producer_{wiring.brokers},
      reports_(reports_at_once) {
  counters_.state.set(static_cast<std::uint64_t>(state_));
  counters_.accepted.add(backlog_.number_recovered());
}

std::size_t LaneLoop::step(Instant now) {
  exchange_producer(now);
  std::size_t work = hear_writer();
  work += hear_broker(now);
  const std::size_t arrived = backlog_.number_arrivals(now);
  counters_.accepted.add(arrived);
  work += arrived;
  change_state(now);
  work += feed(now);
  releaser_.flush();
  publish_counters(now);
  return work;
}

// ---- The producer ----

void LaneLoop::exchange_producer(Instant now) {
  const bool has_changed = producer_.exchange(window_.size() != 0, now);
  // A producer is slow at first, and so is what waits for one.
  if (has_changed || producer_.next_since() == now) relaxed_until_ = now + settings_.relaxed_for;
}

std::size_t LaneLoop::hear_broker(Instant now) {
  ports::Broker* const broker = producer_.get();
  if (broker == nullptr) return 0;
  std::size_t heard = 0;
  while (heard < reports_in_a_step) {
    const std::size_t count = broker->poll(reports_);
    for (const ports::Report& report : std::span{reports_}.first(count)) {
      on_report(window_.on_report(report.tag, report.outcome, report.error), now);
    }
    acks_.note(count, now);
    heard += count;
    if (count < reports_.size()) break;
  }
  if (heard != 0 && failing_over_ && hold_.is_on() && !kafka_back_at_) kafka_back_at_ = now;
  if (!hold_.is_on()) window_.drop_closed();
  return heard;
}

void LaneLoop::on_report(InFlight& entry, Instant now) {
  // Slow, not silent: what is with it now may take as long.
  if (now - entry.submitted_at > settings_.limits.failover_after) {
    relaxed_until_ = now + settings_.relaxed_for;
  }
  switch (entry.known_outcome()) {
    case DeliveryOutcome::delivered:
      counters_.ack.record(nanoseconds(now - Instant{core::Duration{entry.stamp.value}}));
      entry.settled = true;
      if (!hold_.is_on())
        close_delivered(entry);
      else
        journal::store_state(journal_.record(entry.record), RecordState::settled);
      return;
    case DeliveryOutcome::refused:
      if (hold_.is_on()) return;
      dead_letter(entry.record, entry.seq, entry.stamp, entry.error);
      entry.closed = true;
      return;
    case DeliveryOutcome::batch_refused:
      batch_refused_ = true;
      topics_.doubt({journal_.record(entry.record).topic});
      if (hold_.is_on()) return;
      renumber(entry);
      entry.closed = true;
      return;
    case DeliveryOutcome::not_persisted:
    case DeliveryOutcome::possibly_persisted:
      producer_.mark_dead();
      return;
  }
}

void LaneLoop::close_delivered(InFlight& entry) {
  releaser_.free(entry.record);
  counters_.delivered.add(1);
  entry.closed = true;
}

// Later seqs may be in the log already: under its old one a consumer's filter would drop the
// record.
void LaneLoop::renumber(const InFlight& entry) {
  backlog_.renumber(
      {.record = entry.record, .seq = entry.seq, .stamp = entry.stamp, .resend = entry.resend});
  counters_.renumbered.add(1);
}

// ---- The state ----

void LaneLoop::change_state(Instant now) {
  if (backlog_.is_gated()) return;
  for (std::size_t i = 0; i < transitions_in_a_step; ++i) {
    const core::LaneFacts seen = facts();
    const LaneState next = core::next_state(state_, seen, settings_.limits, now);
    if (next == state_) return;
    enter(next, seen, now);
  }
}

core::LaneFacts LaneLoop::facts() const {
  const ports::BrokerHealth health = producer_.health();
  auto& window = const_cast<core::Window&>(window_);  // its cursors move, what it says does not
  core::LaneFacts seen;
  seen.producer_fatal = producer_.is_dead();
  const bool is_awaited = window_.open() != 0 || (producer_.get() == nullptr && !backlog_.empty());
  seen.broker_gone = is_awaited && (!health.up || health.refused);
  seen.batch_refused = batch_refused_ && state_ == LaneState::direct;
  seen.topic_unknown = next_topic_is_unknown();
  seen.spill_forced = settings_.spill_forced;
  seen.outbox_owed = owes_outbox();
  if (!hold_.is_on()) seen.oldest_unreported_at = window.oldest_open_at();
  if (window_.size() == 0 && !backlog_.empty() && producer_.next_since()) {
    seen.oldest_unreported_at = producer_.next_since();
  }
  seen.relaxed_until = relaxed_until_;
  seen.reports_owed = window_.open();
  seen.held = hold_.is_on() ? window_.size() : 0;
  seen.spill_until = tripped_at_ + spill_at_least_;
  seen.producer_warm = producer_.is_warm();
  seen.outbox_untouched = writer_.outbox_untouched();
  seen.outbox_drained = writer_.outbox_drained();
  seen.backlog_rows = writer_.backlog_rows();
  seen.returns_given_up = returns_given_up_;
  seen.journal_percent =
      static_cast<unsigned>(100 * journal_.used_segments() / journal_.segment_count());
  if (state_ == LaneState::returning && !backlog_.empty()) seen.returning_since = state_since_;
  return seen;
}

bool LaneLoop::next_topic_is_unknown() const {
  if (backlog_.empty()) return false;
  const core::TopicIndex topic{journal_.record(backlog_.front().record).topic};
  return topics_.get(topic).standing == TopicStanding::unasked;
}

// Without it a lane that spills for a reason of its own, with Kafka well, would be gone again
// before it has spilled anything.
bool LaneLoop::owes_outbox() const {
  if (backlog_.renumbered_open() != 0) return true;
  return !backlog_.empty() && backlog_.front().seq <= spill_through_;
}

void LaneLoop::enter(LaneState next, const core::LaneFacts& seen, Instant now) {
  std::string change = "lane " + std::to_string(lane_.value) + ": " + std::string{name_of(state_)} +
                       " -> " + std::string{name_of(next)};
  if (state_ == LaneState::direct) {
    note_trip(now);
    change += " (" + core::trip_reason(seen, now) + ", " + std::to_string(window_.open()) +
              " records held)";
  }
  log_.write(LogLevel::info, change);
  const LaneState from = std::exchange(state_, next);
  state_since_ = now;
  spill_through_ = {};
  if (from == LaneState::returning && next == LaneState::spilling) {
    ++returns_given_up_;
    if (!backlog_.empty()) spill_through_ = backlog_.back().seq;
  }
  if (from == LaneState::recalling) {
    static_cast<void>(resolve_held(now));
    producer_.retire();
  }
  switch (next) {
    case LaneState::recalling:
      counters_.recalls.add(1);
      producer_.get()->recall();
      break;
    case LaneState::direct:
      if (!writer_.outbox_untouched()) writer_.begin_anew();
      batch_refused_ = false;
      returns_given_up_ = 0;
      relaxed_until_ = now + settings_.relaxed_for;
      if (kafka_back_at_) counters_.last_return_ns.set(nanoseconds(now - *kafka_back_at_));
      break;
    case LaneState::spilling:
      batch_refused_ = false;
      break;
    case LaneState::returning:
      break;
  }
  counters_.state.set(static_cast<std::uint64_t>(next));
  counters_.state_since_ns.set(stamp_of(now).value);
}

void LaneLoop::note_trip(Instant now) {
  const bool is_first = tripped_at_ == Instant{} || now - state_since_ >= settings_.series_gap;
  spill_at_least_ = is_first ? core::Duration{}
                             : std::clamp(2 * spill_at_least_, settings_.series_spill,
                                          settings_.series_spill_max);
  counters_.trips.add(1);
  tripped_at_ = now;
  failing_over_ = true;
  kafka_back_at_.reset();
  hold();
}

// ---- Direct ----

std::size_t LaneLoop::feed(Instant now) {
  if (backlog_.is_gated()) return 0;
  switch (state_) {
    case LaneState::direct:
      return feed_kafka(now);
    case LaneState::spilling:
      ask_rows_back(now);
      // What ends a hold may open the way to Kafka: the next step sees first.
      if (const std::size_t resolved = resolve_held(now)) return resolved;
      return feed_outbox(now);
    case LaneState::returning:
      ask_rows_back(now);
      return 0;
    case LaneState::recalling:
      return 0;
  }
  core::die("not a LaneState");
}

std::size_t LaneLoop::feed_kafka(Instant now) {
  const std::size_t limit = acks_.limit(window_.oldest_open_at(), now);
  std::size_t fed = 0;
  while (!backlog_.empty() && fed < submissions_in_a_step && window_.open() < limit &&
         !producer_.is_closed()) {
    if (feed_kafka_one(backlog_.front(), now) == Fed::stays) break;
    static_cast<void>(backlog_.pop_front());
    ++fed;
  }
  return fed;
}

LaneLoop::Fed LaneLoop::feed_kafka_one(const PendingRecord& pending, Instant now) {
  core::RecordHeader& header = journal_.record(pending.record);
  const core::RecordView view = core::view_of(header);
  const handoff::TopicFacts topic = topics_.get(view.topic);
  if (topic.standing == TopicStanding::unasked) return Fed::stays;
  const std::size_t bytes = content_bytes(view.key, view.headers, view.payload);
  if (const char* const error = refusal_of(topic, bytes)) {
    dead_letter(pending.record, pending.seq, pending.stamp, error);
    return Fed::gone;
  }
  if (!producer_.sends_batches_within(core::batch_bytes_for(topic.message_bytes_max))) {
    return Fed::stays;
  }
  if (!window_.has_room_for(header.record_bytes)) return Fed::stays;

  // Before the submission: from here on a later process must take it for possibly sent.
  const RecordState before = journal::load_state(header);
  journal::store_state(header, RecordState::submitted);
  const SubmitResult result = producer_.get()->submit(
      {.topic = producer_.handle_of(view.topic, journal_.topic_name(view.topic)),
       .key = view.key,
       .payload = view.payload,
       .headers = view.headers,
       .event_time_ms = view.event_time_ms,
       .provenance = {.stream = {.instance = journal_.instance(), .lane = lane_},
                      .seq = pending.seq,
                      .resend = pending.resend,
                      .renumbered_from = {header.renumbered_from}},
       .tag = window_.next_tag()});
  if (result == SubmitResult::accepted) {
    window_.add({.record = pending.record,
                 .seq = pending.seq,
                 .stamp = pending.stamp,
                 .submitted_at = now,
                 .bytes = header.record_bytes,
                 .resend = pending.resend,
                 .outcome = std::nullopt});
    return Fed::gone;
  }
  // Not numbered: an earlier sending of it may stand, and a later process must know.
  journal::store_state(header, before);
  if (result == SubmitResult::refused) {
    dead_letter(pending.record, pending.seq, pending.stamp, producer_.get()->refusal());
    return Fed::gone;
  }
  if (result == SubmitResult::fatal) producer_.mark_dead();
  return Fed::stays;
}

void LaneLoop::dead_letter(core::RecordOffset record, Seq seq, Stamp stamp, const char* error) {
  writer_.send_dead_letter({.record = record, .seq = seq, .stamp = stamp}, error);
}

// ---- Spilling ----

void LaneLoop::hold() {
  take_back_unsent();
  window_.drop_closed();
  counters_.held.set(hold_.begin());
}

// The fewer are held, the sooner they are finished: each batch of them is a round trip to a broker
// that has just started.
void LaneLoop::take_back_unsent() {
  ports::Broker* const broker = producer_.get();
  if (broker == nullptr) return;
  std::vector<std::uint64_t> tags = broker->take_back();
  std::ranges::sort(tags);  // they ascend with the seqs
  std::vector<PendingRecord> unsent;
  unsent.reserve(tags.size());
  for (const std::uint64_t tag : tags) {
    unsent.push_back(close_unsent(window_.on_report(tag, DeliveryOutcome::not_persisted, "")));
  }
  backlog_.put_back(unsent);
}

PendingRecord LaneLoop::close_unsent(InFlight& entry) {
  entry.closed = true;
  if (entry.resend == ResendCause::none) {
    journal::store_state(journal_.record(entry.record), RecordState::numbered);
  }
  return {.record = entry.record, .seq = entry.seq, .stamp = entry.stamp, .resend = entry.resend};
}

// Kafka is back and Postgres is not: rows that it never began need not wait for it.
void LaneLoop::ask_rows_back(Instant now) {
  if (hold_.is_on() || settings_.spill_forced || backlog_.renumbered_open() != 0) return;
  if (!writer_.could_withdraw() || !producer_.is_warm()) return;
  static_cast<void>(writer_.withdraw(now));
}

// Copies of the held, and what goes by the outbox alone. Rows ascend by seq.
std::size_t LaneLoop::feed_outbox(Instant now) {
  const std::size_t room = room_in_outbox(now);
  std::size_t copies = 0;
  std::size_t rows = 0;
  while (writer_.may_send_row()) {
    const InFlight* const held = hold_.next_to_copy();
    if (held != nullptr && (backlog_.empty() || held->seq < backlog_.front().seq)) {
      writer_.send_row(hold_.copy_next());
      ++copies;
    } else if (!backlog_.empty() && rows < room) {
      const PendingRecord pending = backlog_.pop_front();
      writer_.send_row({.resend = pending.resend,
                        .record = pending.record,
                        .seq = pending.seq,
                        .stamp = pending.stamp,
                        .bytes = journal_.record(pending.record).record_bytes});
      ++rows;
    } else {
      break;
    }
  }
  pace_.note_sent(rows);
  return copies + rows;
}

std::size_t LaneLoop::room_in_outbox(Instant now) {
  const bool is_paced =
      backlog_.renumbered_open() == 0 && core::is_overloaded(facts(), settings_.limits, now);
  if (!is_paced) {
    pace_.lift();
    return std::numeric_limits<std::size_t>::max();
  }
  spill_through_ = {};  // it gets away by emptying the outbox, not by filling it
  return pace_.room(writer_.relayed_through(), now);
}

std::size_t LaneLoop::hear_writer() {
  std::size_t heard = 0;
  while (const auto report = writer_.next_report()) {
    ++heard;
    for (std::size_t i = 0; report->kind == WriterReportKind::done && i < report->jobs; ++i) {
      on_job_done(writer_.pop_done());
    }
    for (std::size_t i = 0; report->kind == WriterReportKind::withdrawn && i < report->jobs; ++i) {
      on_job_withdrawn(writer_.pop_withdrawn());
    }
    if (report->kind == WriterReportKind::stream) forget_written();
    if (report->kind == WriterReportKind::gate_opened) {
      backlog_.open_gate();
      counters_.accepted.add(backlog_.number_recovered());
    }
  }
  return heard;
}

void LaneLoop::on_job_done(const AskedJob& job) {
  if (job.kind == JobKind::release) return on_released();
  if (job.kind == JobKind::row && job.held) {
    counters_.held_copies.add(1);
    InFlight& entry = window_[job.window_index];
    if (entry.closed) return;  // renumbered meanwhile: this copy goes with the release
    entry.settled = true;
    journal::store_state(journal_.record(job.record), RecordState::settled);
    return;
  }
  backlog_.on_written(job.record);
  releaser_.free(job.record);
  (job.kind == JobKind::row ? counters_.spilled : counters_.dead_lettered).add(1);
  if (job.resend != ResendCause::none) counters_.marked.add(1);
}

void LaneLoop::on_job_withdrawn(const AskedJob& job) {
  if (job.kind == JobKind::release) {
    hold_.on_release_withdrawn();
  } else if (job.held) {
    hold_.on_copy_withdrawn(job.window_index);
  } else {
    backlog_.push_front(
        {.record = job.record, .seq = job.seq, .stamp = job.stamp, .resend = job.resend});
  }
}

// What a former process wrote to the outbox before it could say so in the journal.
void LaneLoop::forget_written() {
  while (!backlog_.empty() && writer_.asked() == 0 &&
         backlog_.front().seq <= writer_.written_through()) {
    const core::RecordOffset written = backlog_.pop_front().record;
    backlog_.on_written(written);
    releaser_.free(written);
    counters_.spilled.add(1);
  }
}

// ---- The end of a hold ----

// Every report is in: what has a copy is resolved in the outbox, the rest here.
std::size_t LaneLoop::resolve_held(Instant now) {
  if (!hold_.awaits_release() || writer_.is_withdrawing()) return 0;
  // Postgres may be away too: without copies nothing has to wait for it.
  if (writer_.could_withdraw() && hold_.has_copies() && !asked_back_) {
    asked_back_ = writer_.withdraw(now);
    return 0;
  }
  asked_back_ = false;
  renumber_held();
  resolve_uncopied();
  auto order = std::make_unique<ReleaseOrder>(hold_.release_order());
  if (order->held_through.value == 0) {
    end_hold();
    return 1;
  }
  writer_.send_release(std::move(order));
  hold_.on_release_asked();
  return 1;
}

// Before the release, which deletes their copies: should the process die behind its COMMIT, the
// journal alone knows of them.
void LaneLoop::renumber_held() {
  for (std::size_t i = 0; i < window_.size(); ++i) {
    InFlight& entry = window_[i];
    if (entry.closed || entry.known_outcome() != DeliveryOutcome::batch_refused) continue;
    renumber(entry);
    entry.closed = true;
  }
}

void LaneLoop::resolve_uncopied() {
  std::vector<PendingRecord> back;
  for (std::size_t i = 0; i < window_.size(); ++i) {
    InFlight& entry = window_[i];
    if (entry.closed || entry.copied) continue;
    switch (entry.known_outcome()) {
      case DeliveryOutcome::delivered:
        close_delivered(entry);
        break;
      case DeliveryOutcome::refused:
        dead_letter(entry.record, entry.seq, entry.stamp, entry.error);
        entry.closed = true;
        break;
      case DeliveryOutcome::batch_refused:
        core::die("renumber_held() has closed it");
      case DeliveryOutcome::not_persisted:
        back.push_back(close_unsent(entry));
        break;
      case DeliveryOutcome::possibly_persisted:
        // It stays `submitted`: should the process die now, the next one must mark it.
        back.push_back({.record = entry.record,
                        .seq = entry.seq,
                        .stamp = entry.stamp,
                        .resend = ResendCause::fatal});
        entry.closed = true;
        break;
    }
  }
  backlog_.put_back(back);
}

void LaneLoop::on_released() {
  for (std::size_t i = 0; i < window_.size(); ++i) {
    if (!window_[i].closed) account_copied(window_[i]);
  }
  end_hold();
}

void LaneLoop::end_hold() {
  hold_.end();
  counters_.held.set(0);
}

void LaneLoop::account_copied(InFlight& entry) {
  switch (entry.known_outcome()) {
    case DeliveryOutcome::delivered:
      close_delivered(entry);
      return;
    case DeliveryOutcome::batch_refused:
      core::die("renumber_held() has closed it");
    case DeliveryOutcome::refused:
      releaser_.free(entry.record);
      counters_.dead_lettered.add(1);
      break;
    case DeliveryOutcome::possibly_persisted:
      counters_.marked.add(1);
      [[fallthrough]];
    case DeliveryOutcome::not_persisted:
      releaser_.free(entry.record);
      counters_.spilled.add(1);
      break;
  }
  entry.closed = true;
}

// ---- Told to others ----

void LaneLoop::publish_counters(Instant now) {
  // The oldest record that is not safe; when all are, everything before this step's drain is.
  Stamp safe_below = stamp_of(now);
  const auto lower = [&safe_below](std::optional<Stamp> stamp) {
    if (stamp) safe_below = std::min(safe_below, *stamp);
  };
  lower(backlog_.oldest());
  lower(window_.oldest_unsettled());
  lower(writer_.oldest_asked());
  // A renumbered record stands behind younger ones: until it is safe nothing more is claimed.
  if (backlog_.renumbered_open() == 0) counters_.settled_below.set(safe_below.value);
  if (failing_over_ && backlog_.renumbered_open() == 0 && safe_below > stamp_of(tripped_at_)) {
    counters_.last_failover_ns.set(nanoseconds(now - tripped_at_));
    failing_over_ = false;
  }
  const ports::BrokerHealth health = producer_.health();
  counters_.outbox_depth.set(writer_.backlog_rows());
  counters_.broker_up.set(health.up ? 1 : 0);
  counters_.producer_warm.set(health.up && health.warm ? 1 : 0);
}

}  // namespace spillway::loops
