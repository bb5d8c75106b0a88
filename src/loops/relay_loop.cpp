#include "loops/relay_loop.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"
#include "core/limits.hpp"
#include "loops/topic_admission.hpp"

namespace spillway::loops {
namespace {

using core::DeliveryOutcome;
using core::Instant;
using core::ResendCause;
using handoff::TopicStanding;
using ports::RelayEventKind;
using ports::SubmitResult;

constexpr std::size_t reports_at_once = 256;
constexpr std::size_t reports_in_a_step = 4'096;
constexpr std::size_t submissions_in_a_step = 2'048;
/// A drained stream's lease is kept this long: more rows often follow.
constexpr core::Duration keep_lease = std::chrono::seconds{1};
/// Rows with Kafka and no word of it for this long: it is away.
constexpr core::Duration kafka_silence = std::chrono::milliseconds{500};
/// Rows with a broker that has just come back, which needs a quarter of a second for full batches;
/// one more for each ack, so they double with each round trip (as TCP's slow start).
constexpr std::size_t first_rows = 256;
constexpr core::Duration look_while_reading = std::chrono::milliseconds{20};
/// A failed request is not repeated at once.
constexpr core::Duration look_again = core::PollLadder::rungs.front();
constexpr const char* overtaken =
    "BATCH_REFUSED: for another row, and later rows of its stream are in the partition by now, so "
    "that a position filter would drop it; replay it: spillway outbox replay";

std::uint64_t nanoseconds_since(core::UnixTime then, core::UnixTime now) noexcept {
  // Without a sign: a row may say that it is of the beginning of time.
  return now.ns > then.ns ? static_cast<std::uint64_t>(now.ns) - static_cast<std::uint64_t>(then.ns)
                          : 0;
}

}  // namespace

RelayLoop::RelayLoop(const RelaySettings& settings, RelayWiring wiring)
    : settings_{settings},
      with_{std::move(wiring)},
      teller_{with_.log, with_.on_dead_letter},
      producer_{with_.brokers},
      reports_(reports_at_once),
      ladder_{settings.poll_start} {
  with_.counters.running.set(1);
}

std::size_t RelayLoop::step(Instant now) {
  std::size_t work = hear_wakeups(now);
  work += hear_store(now);
  if (producer_.exchange(owes_reports(), now)) recalled_ = false;
  work += hear_broker(now);
  work += start_next(now);
  work += feed_kafka();
  publish_counters();
  return work;
}

bool RelayLoop::is_busy() const noexcept {
  const auto has_rows = [](const auto& stream) {
    return stream->size() != 0 || stream->wants_read();
  };
  return request_ != Request::none || std::ranges::any_of(streams_, has_rows);
}

std::size_t RelayLoop::hear_wakeups(Instant now) {
  const ports::Wakeups heard = with_.wakeups.poll(now);
  with_.counters.wakeups.add(heard.tokens);
  if (heard.tokens == 0 && !heard.reconnected) return 0;
  look_at_all();
  if (heard.tokens != 0) ladder_.on_work();
  return 1;
}

void RelayLoop::on_news() noexcept {
  look_at_all();
  ladder_.on_work();
}

// Nobody has said whose rows they are.
void RelayLoop::look_at_all() noexcept {
  for (const auto& stream : streams_)
    stream->on_token();
  look_soon_ = true;
}

// ---- The outbox ----

std::size_t RelayLoop::hear_store(Instant now) {
  const ports::RelayEvent event = with_.store.poll(now);
  if (event.kind == RelayEventKind::none) return 0;
  const Request request = std::exchange(request_, Request::none);
  RelayStream* const stream = find(request_stream_);
  switch (event.kind) {
    case RelayEventKind::none:
      break;
    case RelayEventKind::connected:
      connected_ = true;
      look_at_ = now;
      break;
    case RelayEventKind::lost:
      on_lost();
      break;
    case RelayEventKind::scanned:
      on_scanned(event, now);
      break;
    case RelayEventKind::rows:
      if (stream == nullptr) break;
      stream->on_rows(event.batch);
      if (!event.batch->rows().empty()) ladder_.on_work();
      break;
    case RelayEventKind::finished:
      on_finished(now);
      break;
    case RelayEventKind::given_up:
      // A Postgres that dies now may forget the last removals, and whose the lease was.
      if (stream != nullptr) let_go_[stream->id()] = stream->former();
      drop(request_stream_);
      break;
    case RelayEventKind::failed:
      // Without effect: whatever it was is asked again, after a look at the leases.
      if (stream != nullptr && request == Request::read) stream->on_token();
      for (const auto& each : streams_)
        each->suspend();
      look_soon_ = false;
      look_at_ = now + look_again;
      break;
  }
  return 1;
}

void RelayLoop::on_lost() {
  connected_ = false;
  // Nothing more is read or sent of them until a scan says that nobody else had them meanwhile.
  for (const auto& stream : streams_)
    stream->suspend();
}

void RelayLoop::on_scanned(const ports::RelayEvent& event, Instant now) {
  with_.counters.scans.add(1);
  with_.counters.adoptions.add(event.adopted);
  for (const ports::LeasedStream& leased : event.streams) {
    RelayStream* const known = find(leased.id);
    if (known != nullptr && !leased.is_new && !known->is_ahead_of(leased.relayed_through)) {
      if (known->is_leased())
        known->on_news(leased.written_through);
      else
        known->resume(leased);
      continue;
    }
    if (known != nullptr && !leased.is_new) let_go_[leased.id] = known->former();
    drop(leased.id);
    // What another holder may have sent is marked in the outbox; what we have, only we know.
    const auto let_go = let_go_.extract(leased.id);
    FormerLease former = let_go ? let_go.mapped() : FormerLease{};
    if (leased.is_new) former.sent_through = {};
    streams_.push_back(std::make_unique<RelayStream>(leased, ++leases_taken_, former));
  }
  // Suspended and not given back to us: another's, without rows, or still our old session's.
  for (const auto& stream : streams_) {
    if (!stream->is_leased()) let_go_[stream->id()] = stream->former();
  }
  std::erase_if(streams_, [](const auto& stream) { return !stream->is_leased(); });
  if (!streams_.empty()) {
    ladder_.on_work();
    interval_ = core::PollLadder::rungs.front();
  } else {
    interval_ = ladder_.interval();
    ladder_.on_idle();
  }
  looked_at_ = now;
  look_at_ = now + interval_;
}

void RelayLoop::on_finished(Instant now) {
  RelayStream* const stream = find(request_stream_);
  if (stream == nullptr) return;
  account_removed(*stream, now);
  stream->on_removed();
}

void RelayLoop::account_removed(const RelayStream& stream, Instant now) {
  for (std::size_t i = 0; i < stream.removing(); ++i) {
    const QueuedRow& queued = stream.row(i);
    if (stream.is_counted(queued)) continue;
    if (queued.state != RowState::dead) {
      with_.counters.relayed.add(1);
      continue;
    }
    with_.counters.dead_lettered.add(1);
    teller_.tell({.stream = stream.id(),
                  .seq = queued.row->seq,
                  .topic = queued.row->topic,
                  .key = queued.row->key,
                  .payload = queued.row->payload,
                  .error = queued.error},
                 now);
  }
}

void RelayLoop::drop(core::StreamId id) {
  std::erase_if(streams_, [id](const auto& stream) { return stream->id() == id; });
}

// Removal first: it lets lanes return. Then a look around that is overdue, so that a long backlog
// hides no other stream; but one read first, of what a token may have told of. Then reading ahead.
std::size_t RelayLoop::start_next(Instant now) {
  if (request_ != Request::none || !with_.store.is_idle()) return 0;
  if (std::exchange(look_soon_, false)) {
    look_at_ = std::min(look_at_, std::max(now, looked_at_ + look_spacing()));
  }
  const bool begun = finish_something() || (has_read_late_ && scan_if_due(now)) ||
                     read_something(now) || scan_if_due(now) || give_up_something(now);
  return begun ? 1 : 0;
}

bool RelayLoop::finish_something() {
  RelayStream* const stream = next_in_turn(
      [this](RelayStream& each) { return each.wants_removal(settings_.window_rows / 4); });
  if (stream == nullptr) return false;
  const RelayStream::Removal removal = stream->begin_removal();
  begin(Request::finish, *stream);
  with_.store.finish(stream->id(), removal.from, removal.through, removal.dead);
  return true;
}

bool RelayLoop::read_something(Instant now) {
  if (winding_down_ || rows_kept() >= settings_.window_rows) return false;
  RelayStream* const stream =
      next_in_turn([](RelayStream& each) { return each.is_leased() && each.wants_read(); });
  if (stream == nullptr) return false;
  stream->begin_read();
  has_read_late_ = now >= look_at_;
  begin(Request::read, *stream);
  with_.store.read(stream->id(), stream->cursor(), settings_.batch_rows_max,
                   settings_.batch_bytes_max);
  return true;
}

void RelayLoop::begin(Request request, const RelayStream& stream) {
  request_ = request;
  request_stream_ = stream.id();
}

// From the one after the last that had a request: tokens let each want to be read again and again.
template <class Wants>
RelayStream* RelayLoop::next_in_turn(Wants wants) {
  const auto last = std::ranges::find_if(
      streams_, [this](const auto& stream) { return stream->id() == request_stream_; });
  const auto first = last == streams_.end() ? streams_.begin() : std::next(last);
  for (const auto& streams : {std::ranges::subrange{first, streams_.end()},
                              std::ranges::subrange{streams_.begin(), first}}) {
    for (const auto& stream : streams) {
      if (wants(*stream)) return stream.get();
    }
  }
  return nullptr;
}

// One that winds down wants no more streams, but has to know whether what it lost is still its own.
bool RelayLoop::scan_if_due(Instant now) {
  const auto is_in_doubt = [](const auto& stream) { return !stream->is_leased(); };
  if (now < look_at_ || (winding_down_ && std::ranges::none_of(streams_, is_in_doubt)))
    return false;
  request_ = Request::scan;
  has_read_late_ = false;
  with_.store.scan(now);
  return true;
}

// Of looks that news asks for: most of it is of streams that are known and are read anyway.
core::Duration RelayLoop::look_spacing() const noexcept {
  if (streams_.empty()) return core::Duration::zero();
  return rows_kept() < settings_.window_rows ? look_while_reading : core::PollLadder::rungs.front();
}

bool RelayLoop::give_up_something(Instant now) {
  const bool all_drained =
      std::ranges::all_of(streams_, [](const auto& stream) { return stream->is_drained(); });
  if (!all_drained) idle_since_ = now;
  for (const auto& stream : streams_) {
    const bool may_go = winding_down_ ? stream->size() == 0
                                      : stream->is_drained() && now - idle_since_ >= keep_lease;
    if (!may_go || !stream->is_leased()) continue;
    begin(Request::give_up, *stream);
    with_.store.give_up(stream->id());
    return true;
  }
  return false;
}

// ---- Kafka ----

std::size_t RelayLoop::hear_broker(Instant now) {
  ports::Broker* const broker = producer_.get();
  if (broker == nullptr) return 0;
  std::size_t heard = 0;
  while (heard < reports_in_a_step) {
    const std::size_t count = broker->poll(reports_);
    note_kafka(now, count != 0);
    for (const ports::Report& report : std::span{reports_}.first(count))
      on_report(report, now);
    heard += count;
    if (count < reports_.size()) break;
  }
  recall_if_fatal();
  return heard;
}

void RelayLoop::on_report(const ports::Report& report, Instant now) {
  const Sent sent = std::exchange(sent_[report.tag], Sent{});
  free_tags_.push_back(report.tag);
  RelayStream* const stream = find(sent.stream);
  if (stream == nullptr || stream->lease() != sent.lease) return;
  QueuedRow* const row = stream->find_sent(sent.seq);
  SPILLWAY_CHECK(row != nullptr);
  const Partition in{.topic = sent.topic, .number = report.partition};
  switch (report.outcome) {
    case DeliveryOutcome::delivered:
      on_delivered(*row, now);
      stream->on_acked(*row, in);
      rows_sent_max_ = std::min(rows_sent_max_ + 1, settings_.window_rows);
      return;
    case DeliveryOutcome::refused:
      stream->on_dead(*row, report.error);
      return;
    case DeliveryOutcome::batch_refused:
      with_.topics.doubt(sent.topic);
      // Refused in company is no verdict; refused alone is.
      if (row->alone) {
        stream->on_dead(*row, report.error);
        return;
      }
      row->alone = true;
      row->refused_in = in;
      stream->on_returned(*row);
      return;
    case DeliveryOutcome::possibly_persisted:
      producer_.mark_dead();
      stream->on_maybe_appended(*row, in);
      return;
    case DeliveryOutcome::not_persisted:
      producer_.mark_dead();
      stream->on_returned(*row);
      return;
  }
}

void RelayLoop::on_delivered(const QueuedRow& row, Instant now) {
  const core::UnixTime at{(now.time_since_epoch() + settings_.unix_time_offset).count()};
  const core::UnixTime up_since{
      (kafka_up_since_.time_since_epoch() + settings_.unix_time_offset).count()};
  const std::uint64_t delay = nanoseconds_since(row.row->spilled_at, at);
  with_.counters.acked.add(1);
  with_.counters.delay_all.record(delay);
  if (kafka_up_ && row.row->spilled_at >= up_since) with_.counters.delay_kafka_up.record(delay);
}

void RelayLoop::recall_if_fatal() {
  if (!producer_.is_dead()) return;
  if (!std::exchange(recalled_, true)) {
    with_.counters.fatal_errors.add(1);
    with_.log.write(LogLevel::warning, "relay: the producer is dead; a new one takes over");
    producer_.get()->recall();
  }
  if (!owes_reports()) producer_.retire();
}

std::size_t RelayLoop::feed_kafka() {
  if (!owes_reports()) alone_is_sent_ = false;
  if (alone_is_sent_) return 0;
  // A batch holds rows of any stream: what is to be judged alone waits until nothing else is there.
  const auto next_is_alone = [](const auto& stream) {
    const QueuedRow* const next = stream->next_waiting();
    return next != nullptr && next->alone;
  };
  const auto first = std::ranges::find_if(streams_, next_is_alone);
  if (first != streams_.end()) return feed_alone(**first);

  std::size_t fed = 0;
  for (const auto& stream : streams_) {
    while (!producer_.is_closed() && fed < submissions_in_a_step && rows_sent() < rows_sent_max_) {
      QueuedRow* const row = stream->next_waiting();
      if (row == nullptr || row->alone || feed_one(*stream, *row) == Fed::stays) break;
      ++fed;
    }
  }
  return fed;
}

std::size_t RelayLoop::feed_alone(RelayStream& stream) {
  if (owes_reports() || producer_.is_closed()) return 0;
  if (feed_one(stream, *stream.next_waiting()) == Fed::stays) return 0;
  alone_is_sent_ = owes_reports();
  return 1;
}

RelayLoop::Fed RelayLoop::feed_one(RelayStream& stream, QueuedRow& queued) {
  const ports::RelayRow& row = *queued.row;
  if (stream.is_overtaken(queued)) {
    stream.on_dead(queued, overtaken);
    return Fed::gone;
  }
  const core::TopicIndex topic = with_.topics.index_of(row.topic);
  const handoff::TopicFacts facts = with_.topics.facts(topic);
  if (facts.standing == TopicStanding::unasked) return Fed::stays;
  const std::size_t bytes = content_bytes(row.key, row.headers, row.payload);
  if (const char* const error = refusal_of(facts, bytes)) {
    stream.on_dead(queued, error);
    return Fed::gone;
  }
  const std::size_t fitting = core::batch_bytes_for(facts.message_bytes_max);
  if (!producer_.sends_batches_within(fitting)) return Fed::stays;
  return submit(stream, queued, topic);
}

RelayLoop::Fed RelayLoop::submit(RelayStream& stream, QueuedRow& queued, core::TopicIndex topic) {
  const ports::RelayRow& row = *queued.row;
  ports::Broker& broker = *producer_.get();
  const std::uint64_t tag = keep(stream, queued, topic);
  const SubmitResult result = broker.submit({.topic = broker.open_topic(row.topic),
                                             .key = row.key,
                                             .payload = row.payload,
                                             .headers = row.headers,
                                             .event_time_ms = row.event_time_ms,
                                             .provenance = {.stream = stream.id(),
                                                            .seq = row.seq,
                                                            .resend = queued.resend,
                                                            .renumbered_from = row.renumbered_from,
                                                            .relayed_accepted_at = row.accepted_at},
                                             .tag = tag});
  if (result == SubmitResult::accepted) {
    if (queued.resend != ResendCause::none) with_.counters.marked.add(1);
    stream.on_sent(queued);
    return Fed::gone;
  }
  sent_[tag] = Sent{};
  free_tags_.push_back(tag);
  if (result == SubmitResult::refused) {
    stream.on_dead(queued, broker.refusal());
    return Fed::gone;
  }
  if (result == SubmitResult::fatal) producer_.mark_dead();
  return Fed::stays;
}

std::uint64_t RelayLoop::keep(const RelayStream& stream, const QueuedRow& queued,
                              core::TopicIndex topic) {
  if (free_tags_.empty()) {
    free_tags_.push_back(sent_.size());
    sent_.emplace_back();
  }
  const std::uint64_t tag = free_tags_.back();
  free_tags_.pop_back();
  sent_[tag] = {.stream = stream.id(),
                .lease = stream.lease(),
                .seq = queued.row->seq,
                .topic = topic,
                .batch = queued.batch};
  return tag;
}

// ---- Told to others ----

RelayStream* RelayLoop::find(core::StreamId id) noexcept {
  for (const auto& stream : streams_) {
    if (stream->id() == id) return stream.get();
  }
  return nullptr;
}

std::size_t RelayLoop::rows_kept() const noexcept {
  std::size_t rows = 0;
  for (const auto& stream : streams_)
    rows += stream->size();
  return rows;
}

void RelayLoop::note_kafka(Instant now, bool heard) noexcept {
  if (heard || !owes_reports()) heard_kafka_at_ = now;
  const bool is_up = producer_.health().up && now - heard_kafka_at_ < kafka_silence;
  if (is_up && !kafka_up_) {
    kafka_up_since_ = now;
    rows_sent_max_ = std::min(first_rows, settings_.window_rows);
  }
  kafka_up_ = is_up;
}

void RelayLoop::publish_counters() noexcept {
  std::size_t depth = 0;
  for (const auto& stream : streams_)
    depth += stream->depth();
  with_.counters.depth.set(depth);
  with_.counters.leases.set(streams_.size());
  with_.counters.interval_ns.set(static_cast<std::uint64_t>(interval_.count()));
  with_.counters.broker_up.set(kafka_up_ ? 1 : 0);
  with_.counters.postgres_up.set(connected_ ? 1 : 0);
  with_.counters.redis_up.set(with_.wakeups.is_up() ? 1 : 0);
}

}  // namespace spillway::loops
