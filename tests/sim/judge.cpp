#include "sim/judge.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "core/position.hpp"

namespace spillway::sim {
namespace {

using core::ResendCause;
using core::Seq;
using core::StreamId;

bool is_a_state_change(LaneState from, LaneState to) noexcept {
  using enum LaneState;
  switch (from) {
    case direct:
      return to == spilling || to == recalling;
    case recalling:
      return to == spilling;
    case spilling:
      return to == direct || to == returning || to == recalling;
    case returning:
      return to == direct || to == spilling;
  }
  return false;
}

}  // namespace

Judge::SeqFacts& Judge::StreamFacts::at(Seq seq) {
  if (seqs.size() <= seq.value) seqs.resize(seq.value + 64);
  return seqs[seq.value];
}

std::uint64_t Judge::StreamFacts::lowest_open() {
  while (first_open < seqs.size() && seqs[first_open].is_done())
    ++first_open;
  return first_open;
}

Judge::Judge(World& world, const Plan& plan, const AcceptLog& accepted, Sometimes& sometimes)
    : world_{world}, plan_{plan}, accepted_{accepted}, sometimes_{sometimes} {
  for (const TopicPlan& topic : plan.topics)
    partitions_.emplace_back(topic.partitions);
  records_.resize(plan.publishes.size() + 1);
}

void Judge::break_promise(std::string_view promise, std::string text) {
  if (!violation_) violation_ = {std::string{promise}, std::move(text)};
}

std::string Judge::say(StreamId stream, Seq seq) const {
  core::PositionText text;
  return std::string{core::format_position(stream, seq, text)};
}

// ---- At the ports ----

void Judge::on_submit(std::uint64_t sender, const ports::Submission& record) {
  const StreamId id = record.provenance.stream;
  const Seq seq = record.provenance.seq;
  StreamFacts& stream = streams_[id];
  Seq& last = sent_last_[{sender, id}];
  stream.sent_through = std::max(stream.sent_through, seq);
  stream.at(seq).sent_marked |= record.provenance.resend != ResendCause::none;
  // What lies between two of one run, or below a new run, is passed over.
  pass_over(id, seq > last ? std::max(last.value + 1, stream.lowest_open()) : stream.lowest_open(),
            seq.value);
  last = seq;
}

void Judge::pass_over(StreamId id, std::uint64_t from, std::uint64_t below) {
  StreamFacts& stream = streams_[id];
  for (std::uint64_t seq = from; seq < below; ++seq) {
    SeqFacts& facts = stream.at({seq});
    if (!facts.is_done()) facts.must_not_come = true;
  }
}

void Judge::on_rows(StreamId stream, std::span<const ports::OutboxRow> rows) {
  if (rows.size() > plan_.loops.writer_batch_rows) {
    break_promise("P12", "a batch of " + std::to_string(rows.size()) + " rows");
  }
  sometimes_.count(rows.size() == 1 ? Situation::batch_of_one_row : Situation::batch_full);
  const bool is_news = std::ranges::any_of(rows, [](const auto& row) { return !row.held; });
  if (is_news) news_.emplace(stream, rows.back().seq);
}

void Judge::on_notify(core::InstanceId instance) {
  read_trace();
  if (++notified_[instance] <= commits_with_news_[instance]) return;
  break_promise("P14", "a token before the COMMIT that it tells of");
}

void Judge::on_state(StreamId id, LaneState from, LaneState to) {
  StreamFacts& stream = streams_[id];
  stream.state = to;
  if (!is_a_state_change(from, to))
    break_promise("P15", "no such change of state: " + say(id, {0}));
  if (to != LaneState::direct || plan_.faults.postgres.async_forgotten.ppm != 0) return;
  read_trace();
  const auto& tables = world_.database().tables(id);
  if (tables.outbox.empty()) return;
  break_promise("P15", "direct while " + std::to_string(tables.outbox.size()) + " rows from " +
                           say(id, tables.outbox.begin()->first) + " on are in the outbox");
}

void Judge::on_settled(StreamId id, Seq seq, RecordId record) {
  const SeqFacts& facts = streams_[id].at(seq);
  if (facts.appended || facts.row || facts.dead) return;
  // It may be safe under an older number.
  if (records_[record.value].copies + records_[record.value].dead != 0) return;
  break_promise("P11", "settled, and nowhere: " + say(id, seq));
}

bool Judge::was_adopted(core::InstanceId instance) const noexcept {
  return std::ranges::any_of(streams_, [instance](const auto& stream) {
    return stream.first.instance == instance && stream.second.adopted;
  });
}

// ---- The trace ----

void Judge::read_trace() {
  const std::vector<Event>& events = world_.trace().events();
  for (; events_read_ < events.size(); ++events_read_)
    on_event(events[events_read_]);
}

void Judge::on_event(const Event& event) {
  switch (event.kind) {
    case EventKind::appended:
      on_appended(event);
      return;
    case EventKind::committed:
      on_committed(event);
      return;
    case EventKind::released:
      on_released(event);
      return;
    case EventKind::buried:
      on_buried(event);
      return;
    case EventKind::removed:
      on_removed(event);
      return;
    case EventKind::adopted:
      streams_[event.stream].adopted = true;
      sometimes_.count(Situation::owner_dead_held_rows_adopted);
      return;
    case EventKind::leased:
      if (streams_[event.stream].at({0}).row) sometimes_.count(Situation::lease_moved);
      streams_[event.stream].at({0}).row = true;  // seq 0 stands for the stream itself
      return;
    case EventKind::rows_read:
      if (streams_[event.stream].committed_at > popped_at_) {
        sometimes_.count(Situation::rows_found_without_token);
      }
      return;
    case EventKind::popped:
      popped_at_ = event.at;
      return;
    case EventKind::refused:
      streams_[event.stream].at(event.first).refused = true;
      return;
    case EventKind::session_ended:
    case EventKind::pushed:
    case EventKind::server_state:
      return;
  }
}

void Judge::on_appended(const Event& event) {
  SeqFacts& facts = streams_[event.stream].at(event.first);
  if (!facts.appended && facts.must_not_come && !is_unheard(facts)) {
    break_promise("lemma", "a sender had passed over " + say(event.stream, event.first));
  }
  facts.appended = true;
}

void Judge::on_committed(const Event& event) {
  StreamFacts& stream = streams_[event.stream];
  stream.committed_at = event.at;
  if (news_.contains({event.stream, event.last})) ++commits_with_news_[event.stream.instance];
  const auto& rows = world_.database().tables(event.stream).outbox;
  for (std::uint64_t seq = event.first.value; seq <= event.last.value; ++seq) {
    SeqFacts& facts = stream.at({seq});
    facts.waits = rows.contains({seq});
    facts.row = facts.row || facts.waits;
  }
}

// What Kafka had delivered, and what has got another seq, is a row no more.
void Judge::on_released(const Event& event) {
  ++commits_with_news_[event.stream.instance];
  sometimes_.count(Situation::held_rows_released);
  StreamFacts& stream = streams_[event.stream];
  const auto& rows = world_.database().tables(event.stream).outbox;
  for (std::uint64_t seq = 1; seq <= event.last.value; ++seq)
    stream.at({seq}).waits = stream.at({seq}).waits && rows.contains({seq});
}

void Judge::on_removed(const Event& event) {
  StreamFacts& stream = streams_[event.stream];
  // A dying server has forgotten it.
  if (world_.database().tables(event.stream).relayed_through < event.last) return;
  for (std::uint64_t seq = event.first.value + 1; seq <= event.last.value; ++seq) {
    SeqFacts& facts = stream.at({seq});
    if (!std::exchange(facts.waits, false) || facts.is_done()) continue;
    break_promise("P18", "a row was deleted before it was acked: " + say(event.stream, {seq}));
  }
}

void Judge::on_buried(const Event& event) {
  SeqFacts& facts = streams_[event.stream].at(event.first);
  const auto& letters = world_.database().tables(event.stream).dead_letters;
  const auto found = letters.find(event.first);
  if (found == letters.end()) return;  // a dying server has forgotten it
  const StoredLetter& letter = found->second;
  const std::optional<RecordId> id = id_of(letter.row.payload, accepted_);
  if (!id) return break_promise("P5", "an unknown dead letter: " + say(event.stream, event.first));
  const std::string damage = damage_of(*id, accepted_[id->value], letter.row.topic, letter.row.key,
                                       letter.row.payload, letter.row.headers);
  if (!damage.empty()) break_promise("P5", damage + ": " + say(event.stream, event.first));
  const bool is_excused =
      letter.error.starts_with("BATCH_REFUSED") && is_overtaken(event.stream, event.first);
  if (!is_guilty(*id) && !is_excused) {
    break_promise("P16", "a record that Kafka would take is a dead letter (" + letter.error +
                             "): " + say(event.stream, event.first));
  }
  sometimes_.count(facts.row ? Situation::dead_letter_by_relay : Situation::dead_letter_by_lane);
  if (!facts.dead) {
    ++records_[id->value].dead;
    records_[id->value].marked += letter.row.resend == ResendCause::none ? 0 : 1;
  }
  facts.dead = true;
  note_position(*id, event.stream, event.first, letter.row.renumbered_from);
  judge_copies(*id);
}

bool Judge::is_overtaken(StreamId id, Seq seq) {
  StreamFacts& stream = streams_[id];
  if (!stream.at(seq).refused) return false;
  const bool may_be = plan_.faults.kafka.fatal.ppm != 0 && stream.sent_through > seq;
  return may_be || is_below_the_highest(id, seq);
}

bool Judge::is_below_the_highest(StreamId stream, Seq seq) const {
  for (const std::vector<PartitionFacts>& topic : partitions_) {
    for (const PartitionFacts& partition : topic) {
      const auto highest = partition.highest.find(stream);
      if (highest != partition.highest.end() && highest->second > seq) return true;
    }
  }
  return false;
}

bool Judge::is_guilty(RecordId id) const {
  const AcceptEntry& entry = accepted_[id.value];
  const TopicPlan& topic = plan_.topics[entry.topic];
  if (topic.exists == 0 || topic.writable == 0) return true;
  const test::EnvelopeText envelope = envelope_of(id, entry);
  const std::size_t content = envelope.key.value_or("").size() + envelope.headers.size() +
                              envelope.payload.value_or("").size();
  if (content + core::message_overhead_bytes > topic.message_bytes_max) return true;
  const auto payload = bytes_of(*envelope.payload);
  return is_poison(ByteString{payload.begin(), payload.end()}, world_.plan());
}

// ---- The topics ----

void Judge::observe() {
  read_trace();
  read_topics();
}

void Judge::read_topics() {
  for (std::uint32_t i = 0; i < partitions_.size(); ++i) {
    const std::string name = topic_name(i);
    const SimTopic* const topic = world_.kafka().topic(name);
    if (topic == nullptr) continue;
    for (std::uint32_t p = 0; p < topic->partitions.size(); ++p) {
      PartitionFacts& facts = partitions_[i][p];
      for (; facts.seen < topic->partitions[p].size(); ++facts.seen)
        on_copy(name, p, facts, topic->partitions[p][facts.seen]);
    }
  }
}

void Judge::on_copy(std::string_view topic, std::uint32_t partition, PartitionFacts& facts,
                    const LogRecord& copy) {
  const std::optional<RecordId> id = id_of(copy.payload, accepted_);
  if (!id) return break_promise("P5", "an unknown record: " + say(copy.stream, copy.seq));
  const AcceptEntry& entry = accepted_[id->value];
  const std::string damage = damage_of(*id, entry, topic, copy);
  if (!damage.empty()) break_promise("P5", damage + ": " + say(copy.stream, copy.seq));
  if (entry.end == CallEnd::refused) {
    break_promise("P5", "publish() had refused it: " + say(copy.stream, copy.seq));
  }

  RecordFacts& record = records_[id->value];
  const bool is_first = record.copies++ == 0;
  record.marked += copy.resend == ResendCause::none ? 0 : 1;
  StreamFacts& stream = streams_[copy.stream];
  SeqFacts& seq = stream.at(copy.seq);
  if (is_unheard(seq)) {
    record.has_unheard_copy = true;
    sometimes_.count(Situation::refusal_unheard);
  }
  if (copy.resend == ResendCause::fatal) sometimes_.count(Situation::marked_fatal);
  if (copy.resend == ResendCause::recovery) sometimes_.count(Situation::marked_recovery);
  if (copy.resend == ResendCause::lease) sometimes_.count(Situation::marked_lease);
  note_position(*id, copy.stream, copy.seq, copy.renumbered_from);
  judge_copies(*id);
  // A record without a key, too, has one; another when it gets a new seq.
  const bool may_move = entry.key < 0 && record.positions.size() > 1;
  if (!may_move && record.has_partition && record.partition != partition) {
    break_promise("P5", "it is in two partitions: " + say(copy.stream, copy.seq));
  }
  record.has_partition = true;
  record.partition = partition;

  Seq& highest = facts.highest[copy.stream];
  if (copy.seq > highest) {
    highest = copy.seq;
    ++record.passed;
  } else if (is_first && !is_unheard(seq)) {
    break_promise("P3", say(copy.stream, copy.seq) + " first seen after seq " +
                            std::to_string(highest.value));
  } else {
    sometimes_.count(Situation::repeat_filtered);
  }
  if (!is_first && !copy.relayed) {
    if (seq.relayed) sometimes_.count(Situation::late_append_after_relays_copy);
    if (stream.state == LaneState::direct) sometimes_.count(Situation::late_append_after_return);
  }
  if (!is_first && copy.relayed) {
    sometimes_.count(seq.relayed ? Situation::stale_relays_rows_landed
                                 : Situation::late_append_before_relays_copy);
  }
  seq.relayed = seq.relayed || copy.relayed;
  const bool is_exempt = copy.renumbered_from.value != 0 || is_unheard(seq);
  if (is_first && entry.key >= 0 && !is_exempt) judge_key_order(*id);
}

// Its batch was refused for another record, and its sender died before it heard or could say so:
// who sends it again knows no more than that it may be in the log, and says that.
bool Judge::is_unheard(const SeqFacts& facts) noexcept {
  return facts.refused && facts.sent_marked;
}

void Judge::judge_key_order(RecordId id) {
  const AcceptEntry& entry = accepted_[id.value];
  KeyOrder& order = keys_[{entry.instance, {entry.topic, entry.key}}];
  std::uint64_t& last = order.last_of_publisher[entry.publisher];
  if (entry.begun < last) {
    break_promise("P1",
                  "record " + std::to_string(id.value) + " after a later one of its publisher");
  } else if (entry.returned < order.latest_begin) {
    break_promise("P2", "record " + std::to_string(id.value) +
                            " after one that was begun when it had returned");
  }
  last = std::max(last, entry.begun);
  order.latest_begin = std::max(order.latest_begin, entry.begun);
}

void Judge::note_position(RecordId id, StreamId stream, Seq seq, Seq renumbered_from) {
  std::optional<RecordId>& owner = streams_[stream].at(seq).record;
  if (owner && owner->value != id.value) {
    break_promise("P6", say(stream, seq) + " is the position of two records");
  }
  owner = id;
  RecordFacts& record = records_[id.value];
  const std::pair position{stream, seq};
  if (std::ranges::find(record.positions, position) == record.positions.end()) {
    record.positions.push_back(position);
  }
  if (renumbered_from.value == 0) return;
  if (std::ranges::find(record.renumbered_from, renumbered_from) == record.renumbered_from.end()) {
    record.renumbered_from.push_back(renumbered_from);
    streams_[stream].at(renumbered_from).replaced = true;
    sometimes_.count(Situation::record_renumbered);
  }
}

// A dead letter is a copy too: it may be delivered as well only if that is explained.
void Judge::judge_copies(RecordId id) {
  const RecordFacts& record = records_[id.value];
  // Of two positions each may have been buried.
  const std::uint32_t dead = record.positions.size() > 1 ? std::min(record.dead, 1U) : record.dead;
  if (record.copies + dead <= 1 + record.marked) return;
  const auto& [stream, seq] = record.positions.front();
  break_promise("P8", std::to_string(record.copies) + " copies, " + std::to_string(record.marked) +
                          " marked, " + std::to_string(record.dead) +
                          " dead letters: " + say(stream, seq));
}

// ---- The end ----

void Judge::finish(const std::map<StreamId, Seq>& last_seq) {
  observe();
  finish_records();
  finish_streams(last_seq);
}

void Judge::finish_records() {
  for (std::uint32_t i = 0; i < accepted_.size(); ++i) {
    const AcceptEntry& entry = accepted_[i];
    const RecordFacts& record = records_[i];
    const std::uint32_t places = record.copies + record.dead;
    if (entry.end == CallEnd::accepted && places == 0) {
      break_promise("P4", "record " + std::to_string(i) + " was accepted and is nowhere");
    }
    if (entry.end == CallEnd::refused && places != 0) {
      break_promise("P5", "record " + std::to_string(i) + " was refused and is somewhere");
    }
    if (record.copies != 0 && record.positions.size() == 1 && record.passed != 1 &&
        !record.has_unheard_copy) {
      break_promise("P9", "record " + std::to_string(i) + " passes the filter " +
                              std::to_string(record.passed) + " times");
    }
    if (!are_positions_explained(record)) {
      break_promise("P6", "record " + std::to_string(i) + " has two positions: " +
                              say(record.positions[0].first, record.positions[0].second) + ", " +
                              say(record.positions[1].first, record.positions[1].second));
    }
  }
}

bool Judge::are_positions_explained(const RecordFacts& record) const {
  if (record.positions.size() <= 1) return true;
  if (record.marked == 0 && record.dead == 0) return false;
  const auto unexplained = std::ranges::count_if(record.positions, [&record](const auto& position) {
    return std::ranges::find(record.renumbered_from, position.second) ==
           record.renumbered_from.end();
  });
  return unexplained == 1;  // the newest
}

void Judge::finish_streams(const std::map<StreamId, Seq>& last_seq) {
  for (const auto& [id, last] : last_seq) {
    StreamFacts& stream = streams_[id];
    for (std::uint64_t seq = 1; seq <= last.value; ++seq) {
      if (!stream.at({seq}).is_done()) break_promise("P7", "nowhere: " + say(id, {seq}));
    }
    for (std::uint64_t seq = last.value + 1; seq < stream.seqs.size(); ++seq) {
      if (stream.at({seq}).record) break_promise("P7", "was never given: " + say(id, {seq}));
    }
  }
}

}  // namespace spillway::sim
