#include "history/stream_writer.hpp"

#include <algorithm>
#include <utility>

namespace spillway::history {

using verify::LaneState;
using verify::Mark;
using verify::Outcome;

namespace {

std::string_view text_of(Mark mark) {
  switch (mark) {
    case Mark::fatal:
      return "fatal";
    case Mark::recovery:
      return "recovery";
    case Mark::lease:
      return "lease";
    case Mark::none:
    case Mark::unknown:
      break;
  }
  return "";
}

constexpr std::string_view too_large = "MSG_SIZE_TOO_LARGE: Broker: Message size too large";
constexpr std::string_view forbidden = "TOPIC_AUTHORIZATION_FAILED: Broker: Not authorized";

}  // namespace

std::uint64_t StreamWriter::live(std::uint64_t opened_ns, const std::vector<Published>& published,
                                 Ending ending) {
  now_ns_ = std::max(now_ns_, opened_ns);
  published_ = &published;
  next_ = 0;
  const std::size_t last_ones =
      ending == Ending::quiet ? 0 : std::min<std::size_t>(published.size(), random_.below(12));
  end_ = published.size() - last_ones;
  recover();
  while (next_ < end_) {
    direct_run();
    if (!random_.chance(60)) continue;
    if (random_.chance(25)) {
      fatal_outage();
    } else {
      outage();
    }
  }
  end_ = published.size();
  switch (ending) {
    case Ending::quiet:
      break;
    case Ending::killed:
      in_flight_ = take(last_ones);
      break;
    case Ending::waiting:
      if (last_ones == 0) break;
      history_.faults->push_back({"broker away", now_ns_, now_ns_ + 1'000});
      change(LaneState::direct, LaneState::spilling);
      while (next_ < end_)
        spill_some();
      relay(false);
      break;
    case Ending::holding:
      if (last_ones == 0) break;
      history_.faults->push_back({"broker away", now_ns_, now_ns_ + 1'000'000});
      change(LaneState::direct, LaneState::spilling);
      hold();
      while (next_ < end_)
        spill_some();
      for (const Numbered& record : held_) {
        history_.journals.push_back(stored(record));
        history_.outbox.push_back(stored(record));
        // librdkafka has finished it, and its owner does not know yet.
        if (random_.chance(30) && &record == &held_.front()) append(record, false);
      }
      break;
  }
  for (const Numbered& row : rows_)
    history_.outbox.push_back(stored(row));
  rows_.clear();
  held_.clear();
  return now_ns_;
}

void StreamWriter::bury() {
  bool appended = true;
  for (const Numbered& record : in_flight_) {
    history_.journals.push_back(stored(record));
    appended = appended && random_.chance(40);
    if (appended) append(record, false);
  }
}

StreamWriter::Numbered StreamWriter::number(const Published& published) {
  now_ns_ = std::max(now_ns_, published.known_ns);
  return {.published = published, .seq = ++last_seq_};
}

std::vector<StreamWriter::Numbered> StreamWriter::take(std::uint64_t count_max) {
  std::vector<Numbered> taken;
  for (; next_ < end_ && taken.size() < count_max; ++next_)
    taken.push_back(number((*published_)[next_]));
  return taken;
}

void StreamWriter::change(std::optional<LaneState> from, LaneState to) {
  pass();
  history_.lane_changes->push_back(
      {.instance = instance_, .lane = lane_, .from = from, .to = to, .at_ns = now_ns_});
  state_ = to;
}

void StreamWriter::append(const Numbered& record, bool relayed) {
  pass();
  Append append{
      .at_ns = now_ns_, .topic = record.published.topic, .record = record.published.record};
  auto& headers = append.record.headers;
  headers.push_back(
      {"spillway-position",
       verify::text_of(verify::Position{.instance = instance_, .lane = lane_, .seq = record.seq})});
  if (record.renumbered_from != 0) {
    headers.push_back({"spillway-renumbered", std::to_string(record.renumbered_from)});
  }
  if (relayed) {
    headers.push_back({"spillway-relayed", "1"});
    if (record.mark != Mark::none) {
      headers.push_back({"spillway-resend", std::string{text_of(record.mark)}});
    }
  }
  appends_.push_back(std::move(append));
}

// What was in a socket when nobody waited for it any more.
void StreamWriter::append_later(const Numbered& record) {
  const std::uint64_t before = now_ns_;
  pass(20'000);
  Numbered first_copy = record;
  first_copy.mark = Mark::none;
  append(first_copy, false);
  now_ns_ = before;
}

void StreamWriter::report(const Numbered& record, Outcome outcome) {
  history_.outcomes->push_back(
      {.record = record.published.name, .outcome = outcome, .at_ns = now_ns_});
}

verify::StoredCopy StreamWriter::stored(const Numbered& record) const {
  return {.topic = record.published.topic,
          .position = {.instance = instance_, .lane = lane_, .seq = record.seq},
          .held = record.held,
          .marked = record.mark != Mark::none,
          .renumbered_from = record.renumbered_from,
          .record = record.published.record,
          .error = {}};
}

verify::SeqRange StreamWriter::range(const Numbered& first, const Numbered& last) const {
  return {.instance = instance_, .lane = lane_, .first = first.seq, .last = last.seq};
}

// A lane whose process was killed spills what it finds, and returns.
void StreamWriter::recover() {
  if (in_flight_.empty()) {
    change(std::nullopt, LaneState::direct);
    return;
  }
  change(std::nullopt, LaneState::spilling);
  history_.causes->push_back({.mark = Mark::recovery,
                              .instance = instance_,
                              .lane = lane_,
                              .first_seq = in_flight_.front().seq,
                              .last_seq = in_flight_.back().seq});
  bool appended = true;
  for (Numbered& record : in_flight_) {
    record.mark = Mark::recovery;
    appended = appended && random_.chance(50);
    if (appended) {
      Numbered first_copy = record;
      first_copy.mark = Mark::none;
      append(first_copy, false);
    } else {
      record.appended_late = random_.chance(40);
    }
  }
  const std::size_t backlog = in_flight_.size();
  commit(std::exchange(in_flight_, {}));
  const std::uint64_t healed_ns = now_ns_;
  relay(true);
  return_to_direct(healed_ns, backlog);
}

void StreamWriter::direct_run() {
  for (const Numbered& record : take(random_.between(1, 40)))
    send_direct(record);
}

void StreamWriter::send_direct(const Numbered& record) {
  if (random_.chance(2)) {
    kill_letters(record, false);
    return;
  }
  append(record, false);
  pass(200);
  report(record, Outcome::delivered);
}

void StreamWriter::kill_letters(const Numbered& record, bool by_relay) {
  pass();
  verify::StoredCopy letter = stored(record);
  letter.held = false;
  letter.error = random_.chance(50) ? too_large : forbidden;
  history_.dead_letters.push_back(std::move(letter));
  if (!by_relay) report(record, Outcome::dead_lettered);
}

void StreamWriter::outage() {
  history_.faults->push_back({"broker away", now_ns_, now_ns_ + 5'000});
  change(LaneState::direct, LaneState::spilling);
  hold();
  if (random_.chance(25)) refuse_batch();
  for (std::uint64_t turns = random_.below(5); turns > 0; --turns)
    spill_some();
  pass(5'000);
  const std::uint64_t healed_ns = now_ns_;
  release();
  const std::size_t backlog = rows_.size();
  if (backlog == 0) {
    change(LaneState::spilling, LaneState::direct);
    return;
  }
  relay(true);
  return_to_direct(healed_ns, backlog);
}

// The producer's reports are in: some delivered, some possibly, the others not.
void StreamWriter::fatal_outage() {
  std::vector<Numbered> window = take(random_.between(1, 6));
  if (window.empty()) return;
  history_.faults->push_back({"fatal producer error", now_ns_, now_ns_ + 1'000});
  const std::size_t delivered = random_.below(window.size() + 1);
  const std::size_t possibly = random_.below(window.size() - delivered + 1);
  for (std::size_t i = 0; i < delivered; ++i)
    append(window[i], false);
  change(LaneState::direct, LaneState::recalling);
  for (std::size_t i = 0; i < delivered; ++i)
    report(window[i], Outcome::delivered);
  window.erase(window.begin(), window.begin() + static_cast<std::ptrdiff_t>(delivered));
  bool appended = true;
  for (std::size_t i = 0; i < possibly; ++i) {
    appended = appended && random_.chance(50);
    if (appended) append(window[i], false);
    window[i].mark = Mark::fatal;
    window[i].appended_late = !appended && random_.chance(50);
  }
  if (possibly != 0) {
    history_.causes->push_back({.mark = Mark::fatal,
                                .instance = instance_,
                                .lane = lane_,
                                .first_seq = window.front().seq,
                                .last_seq = window[possibly - 1].seq});
  }
  change(LaneState::recalling, LaneState::spilling);
  if (!window.empty()) commit(std::move(window));
  spill_some();
  const std::uint64_t healed_ns = now_ns_;
  const std::size_t backlog = rows_.size();
  if (backlog != 0) relay(true);
  if (backlog != 0) {
    return_to_direct(healed_ns, backlog);
  } else {
    change(LaneState::spilling, LaneState::direct);
  }
}

void StreamWriter::hold() {
  held_ = take(random_.below(6));
  if (held_.empty()) return;
  for (Numbered& record : held_)
    record.held = true;
  pass();
  log().commits.push_back(
      {.rows = range(held_.front(), held_.back()), .held = true, .at_ns = now_ns_});
}

// librdkafka has finished what it had, in order.
void StreamWriter::release() {
  if (held_.empty()) return;
  for (const Numbered& record : held_) {
    const bool refused = random_.chance(4);
    if (!refused) append(record, false);
    acked(record, refused);
    if (refused) {
      kill_letters(record, false);
    } else {
      report(record, Outcome::delivered);
    }
  }
  pass();
  log().deletes.push_back({.rows = range(held_.front(), held_.back()), .at_ns = now_ns_});
  log().releases.push_back({.instance = instance_, .lane = lane_, .at_ns = now_ns_});
  held_.clear();
}

// A whole batch was refused for one record's sake: none is in Kafka, and all go on as others.
void StreamWriter::refuse_batch() {
  std::vector<Numbered> batch = take(random_.between(1, 4));
  if (batch.empty()) return;
  for (Numbered& record : batch)
    record.renumbered_from = std::exchange(record.seq, 0);
  for (Numbered& record : batch)
    record.seq = ++last_seq_;
  commit(std::move(batch));
}

void StreamWriter::spill_some() {
  std::vector<Numbered> batch = take(random_.between(1, 8));
  if (!batch.empty()) commit(std::move(batch));
}

void StreamWriter::commit(std::vector<Numbered> rows) {
  pass();
  log().commits.push_back(
      {.rows = range(rows.front(), rows.back()), .held = false, .at_ns = now_ns_});
  if (random_.chance(80)) {
    log().tokens.push_back(
        {.commit = log().commits.size() - 1, .at_ns = now_ns_ + random_.below(300)});
  }
  for (Numbered& row : rows) {
    report(row, Outcome::spilled);
    rows_.push_back(std::move(row));
  }
}

void StreamWriter::acked(const Numbered& record, bool refused) {
  pass(200);
  log().acks.push_back({.position = {.instance = instance_, .lane = lane_, .seq = record.seq},
                        .refused = refused,
                        .at_ns = now_ns_});
}

// All rows, or some: then the last that it sent are acked and not deleted.
void StreamWriter::relay(bool all) {
  auto relay = static_cast<std::uint32_t>(random_.below(3));
  pass();
  std::uint64_t lease_from_ns = now_ns_;
  while (!rows_.empty()) {
    const std::size_t batch = std::min<std::size_t>(rows_.size(), random_.between(1, 10));
    if (random_.chance(15)) move_lease(relay, batch, lease_from_ns);
    if (!all && random_.chance(50)) {
      if (random_.chance(50)) {
        for (std::size_t i = 0; i < batch; ++i) {
          append(rows_[i], true);
          acked(rows_[i], false);
        }
      }
      break;
    }
    relay_batch(relay, batch);
  }
  pass();
  log().leases.push_back({.instance = instance_,
                          .lane = lane_,
                          .relay = relay,
                          .from_ns = lease_from_ns,
                          .until_ns = now_ns_});
}

void StreamWriter::relay_batch(std::uint32_t relay, std::size_t rows) {
  pass();
  const verify::SeqRange batch = range(rows_.front(), rows_[rows - 1]);
  log().reads.push_back({.rows = batch, .relay = relay, .at_ns = now_ns_});
  std::vector<Numbered> late;
  for (std::size_t i = 0; i < rows; ++i) {
    const Numbered& row = rows_[i];
    const bool refused = row.mark == Mark::none && random_.chance(3);
    if (!refused) append(row, true);
    acked(row, refused);
    if (refused) kill_letters(row, true);
    if (row.appended_late) late.push_back(row);
  }
  pass();
  log().deletes.push_back({.rows = batch, .at_ns = now_ns_});
  for (const Numbered& row : late)
    append_later(row);
  rows_.erase(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(rows));
}

// The relay dies with a batch in its hands: the next one cannot know what was appended.
void StreamWriter::move_lease(std::uint32_t& relay, std::size_t rows,
                              std::uint64_t& lease_from_ns) {
  pass();
  log().reads.push_back(
      {.rows = range(rows_.front(), rows_[rows - 1]), .relay = relay, .at_ns = now_ns_});
  bool appended = true;
  for (std::size_t i = 0; i < rows; ++i) {
    Numbered& row = rows_[i];
    if (row.mark != Mark::none) {
      appended = false;  // one cause in a mark is enough to follow
      continue;
    }
    appended = appended && random_.chance(60);
    if (appended) append(row, true);
    row.mark = Mark::lease;
    row.appended_late = !appended && random_.chance(50);
  }
  history_.causes->push_back({.mark = Mark::lease,
                              .instance = instance_,
                              .lane = lane_,
                              .first_seq = rows_.front().seq,
                              .last_seq = rows_[rows - 1].seq});
  pass();
  log().leases.push_back({.instance = instance_,
                          .lane = lane_,
                          .relay = relay,
                          .from_ns = lease_from_ns,
                          .until_ns = now_ns_});
  pass();
  relay = (relay + 1) % 3;
  lease_from_ns = now_ns_;
}

void StreamWriter::return_to_direct(std::uint64_t healed_ns, std::size_t backlog) {
  history_.drains->push_back({.healed_ns = healed_ns,
                              .emptied_ns = now_ns_,
                              .backlog_rows = backlog,
                              .drained_per_second = static_cast<double>(backlog) * 1e9 /
                                                    static_cast<double>(now_ns_ - healed_ns),
                              .arriving_per_second = 0});
  change(LaneState::spilling, LaneState::returning);
  if (random_.chance(10)) {
    change(LaneState::returning, LaneState::spilling);
    change(LaneState::spilling, LaneState::returning);
  }
  change(LaneState::returning, LaneState::direct);
}

}  // namespace spillway::history
