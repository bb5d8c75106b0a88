#include "verify/audit.hpp"

#include <algorithm>
#include <utility>

namespace spillway::verify {
namespace {

constexpr std::uint64_t number_end = std::uint64_t{1} << 40U;  // of what 40 bits hold
constexpr std::uint64_t index_end = std::uint64_t{1} << 16U;
constexpr std::uint64_t messages_between_looks = 4096;
constexpr std::size_t open_pages_max = 256;  // of all tables
constexpr std::size_t open_pages_min = 2;    // of one

// Stands for a publisher's envelopes of one topic and key; of no key, by partition.
std::uint64_t order_hash(std::uint64_t owner, std::uint16_t topic, std::uint64_t key) noexcept {
  std::uint64_t hash = (key + (owner + 1) * 0x9E3779B97F4A7C15U) * 0xD6E8FEB86659FD93U;
  hash = (hash ^ (hash >> 31U) ^ topic) * 0x9E3779B97F4A7C15U;
  hash ^= hash >> 32U;
  return hash == 0 ? 1 : hash;
}

}  // namespace

Audit::Audit(AuditScope scope) : scope_{std::move(scope)} {
  result_.topic = scope_.topic;
}

void Audit::expect(const AcceptLog& log) {
  const auto [known, is_new] =
      log_index_.try_emplace({log.run, log.publisher}, static_cast<std::uint32_t>(logs_.size()));
  if (!is_new) {
    refuse("two accept logs are of publisher " + std::to_string(log.publisher));
    return;
  }
  logged_runs_.insert(log.run);
  if (log.calls.size() < log.begun) {
    refuse("the accept log of publisher " + std::to_string(log.publisher) + " has " +
           std::to_string(log.calls.size()) + " of " + std::to_string(log.begun) + " calls");
  }
  logs_.push_back({.run = log.run,
                   .publisher = log.publisher,
                   .end = log.calls.size(),
                   .calls = log.calls,
                   .has_calls = true});
}

void Audit::add_row(const StoredRecord& stored, const RecordReader& record) {
  const auto row = store(stored, record, waiting);
  if (!row) return;
  ++(stored.held ? result_.held : result_.waiting);
  rows_.push_back(*row);
}

void Audit::add_dead_letter(const StoredRecord& stored, const RecordReader& record) {
  const auto row = store(stored, record, dead);
  if (!row) return;
  ++result_.dead_letters;
  dead_letters_.emplace_back(*row, stored.marked);
}

void Audit::add_unsettled(const StoredRecord& stored, const RecordReader& record) {
  if (stored.position.seq != 0) {
    static_cast<void>(store(stored, record, unsettled));
    return;
  }
  const auto tag = tag_of(record);
  if (!tag || full_) return;
  PublisherLog& log = logs_[tag->log];
  log.end = std::max(log.end, tag->n + 1);
  log.records.at(tag->n).word.set(unsettled);
}

void Audit::add_message(Place place, const RecordReader& record) {
  if (result_.messages++ % messages_between_looks == 0) watch_memory();
  if (full_) return;
  if (partitions_.size() == index_end - 1 || place.offset >= number_end) {
    doubt("the audit cannot count as far as " + text_of(place));
    full_ = true;
    return;
  }
  if (record.is_relayed()) ++result_.relayed;
  switch (record.mark()) {
    case Mark::none:
      break;
    case Mark::fatal:
      ++result_.marked_fatal;
      break;
    case Mark::recovery:
      ++result_.marked_recovery;
      break;
    case Mark::lease:
      ++result_.marked_lease;
      break;
    case Mark::unknown:
      doubt("the mark of " + text_of(place) + " names no cause that is known");
      break;
  }

  const auto tag = tag_of(record);
  if (record.payload().kind == PayloadKind::damaged) {
    found(Kind::damaged, place, {}, [] { return std::string{"not as spillway load wrote it"}; });
  } else if (!tag && scope_.exclusive) {
    found(Kind::never_accepted, place, {}, [] { return std::string{"nobody published it"}; });
  }
  const std::optional<Position> position = record.position();
  const std::optional<StreamSeq> at = position ? ref_of(*position) : std::nullopt;
  if (!at) {
    found(Kind::without_position, place, {},
          [&] { return tag ? text_of(*tag) : std::string{"a foreign payload"}; });
  }
  judge_tag(tag, at, place.topic, place, record);
  judge_partition(at, place, record);
  if (at) judge_mark(*at, place, record);
  if (at && record.renumbered_from() != 0) {
    ++result_.renumbered;
    renumbered_[*at] = {.from = record.renumbered_from(), .foreign = !tag};
  }

  const bool new_position = at && note_position(*at, tag, place, record);
  const bool new_tag = tag && note_tag(*tag, at, place, record);
  if (tag ? new_tag : new_position) ++result_.records;
  if (tag && !new_tag) {
    keep_repeat({.number = tag->n, .owner = tag->log, .at = {}}, place, record);
  } else if (!tag && at && !new_position) {
    keep_repeat({.number = at->seq, .owner = foreign_owner | at->stream, .at = {}}, place, record);
  }
  if (new_tag) judge_key_order(*tag, at, place, record);
  if (at && new_position) judge_lane(*at, place, record);
  if (at) judge_stream_order(*at, tag, place, record);
}

void Audit::keep_repeat(Repeat repeat, Place place, const RecordReader& record) {
  repeat.at.set(place.offset, number_of(place));
  if (record.mark() != Mark::none) repeat.at.set(first_marked);
  repeats_.push_back(repeat);
}

std::uint16_t Audit::number_of(Place place) {
  if (last_place_ && last_place_->topic == place.topic &&
      last_place_->partition == place.partition) {
    return last_number_;
  }
  const auto [known, is_new] = partition_index_.try_emplace(
      {place.topic, place.partition}, static_cast<std::uint16_t>(partitions_.size()));
  if (is_new) partitions_.emplace_back(place.topic, place.partition);
  last_place_ = place;
  last_number_ = known->second;
  return last_number_;
}

Place Audit::place_of(PackedWord first) const {
  const auto& [topic, partition] = partitions_[first.index()];
  return {.topic = topic, .partition = partition, .offset = first.number()};
}

std::optional<Audit::TagRef> Audit::tag_of(const RecordReader& record) {
  if (record.payload().kind != PayloadKind::tagged) {
    ++result_.foreign;
    return std::nullopt;
  }
  const Tag& tag = record.payload().tag;
  if (scope_.run && tag.run != *scope_.run) {
    ++result_.other_runs;
    return std::nullopt;
  }
  const auto [known, is_new] =
      log_index_.try_emplace({tag.run, tag.publisher}, static_cast<std::uint32_t>(logs_.size()));
  if (is_new) {
    logs_.push_back(
        {.run = tag.run, .publisher = tag.publisher, .end = 0, .calls = {}, .has_calls = false});
  }
  return TagRef{.log = known->second, .n = tag.n};
}

std::optional<Audit::StreamSeq> Audit::ref_of(const Position& position) {
  if (position.seq >= number_end) return std::nullopt;
  const auto known = stream_index_.find({position.instance, position.lane});
  if (known != stream_index_.end()) return StreamSeq{.stream = known->second, .seq = position.seq};
  if (streams_.size() == index_end) {
    doubt("more than 65 536 streams");
    return std::nullopt;
  }
  const auto index = static_cast<std::uint16_t>(streams_.size());
  stream_index_.emplace(std::pair{position.instance, position.lane}, index);
  streams_.push_back(
      {.instance = position.instance, .lane = position.lane, .highest = {}, .last = 0});
  return StreamSeq{.stream = index, .seq = position.seq};
}

// Notes a row or a dead letter under both its identities.
std::optional<Audit::Row> Audit::store(const StoredRecord& stored, const RecordReader& record,
                                       std::uint8_t flag) {
  if (full_) return std::nullopt;
  // Counters that tag_of() raises are about messages.
  const auto foreign = result_.foreign;
  const auto other_runs = result_.other_runs;
  const auto tag = tag_of(record);
  const bool of_another_run = std::exchange(result_.other_runs, other_runs) != other_runs;
  result_.foreign = foreign;
  const auto at = ref_of(stored.position);
  if (of_another_run || !at) return std::nullopt;

  if (stored.renumbered_from != 0) {
    renumbered_[*at] = {.from = stored.renumbered_from, .foreign = !tag};
  }
  judge_tag(tag, at, stored.topic, std::nullopt, record);
  Stream& stream = streams_[at->stream];
  stream.last = std::max(stream.last, at->seq);
  CodedSlot& slot = stream.seqs.at(at->seq);
  check_content(*at, slot, tag, record, std::nullopt);
  slot.word.set(flag);
  if (tag) {
    PublisherLog& log = logs_[tag->log];
    log.end = std::max(log.end, tag->n + 1);
    CodedSlot& named = log.records.at(tag->n);
    check_name(*tag, named, *at, std::nullopt);
    named.word.set(flag);
  }
  const std::optional<std::uint64_t> key_hash = record.key_hash();
  return Row{.position = *at,
             .tag = tag,
             .key = tag && key_hash ? order_hash(tag->log, stored.topic, *key_hash) : 0};
}

// True for the first copy of this position.
bool Audit::note_position(StreamSeq at, std::optional<TagRef> tag, Place place,
                          const RecordReader& record) {
  Stream& stream = streams_[at.stream];
  stream.last = std::max(stream.last, at.seq);
  CodedSlot& slot = stream.seqs.at(at.seq);
  check_content(at, slot, tag, record, place);
  if (record.mark() != Mark::none) slot.word.set(some_marked);
  if (slot.word.has(delivered)) {
    // A record without a key goes to any partition, each time it is sent.
    if (slot.word.index() != number_of(place) && record.key()) {
      found(Kind::copy_elsewhere, place, at, [&] { return "another copy is " + whereabouts(at); });
    }
    return false;
  }
  slot.word.set(delivered);
  slot.word.set(place.offset, number_of(place));
  if (record.mark() != Mark::none) slot.word.set(first_marked);
  return true;
}

// True for the first copy of this tag.
bool Audit::note_tag(TagRef tag, std::optional<StreamSeq> at, Place place,
                     const RecordReader& record) {
  PublisherLog& log = logs_[tag.log];
  log.end = std::max(log.end, tag.n + 1);
  CodedSlot& slot = log.records.at(tag.n);
  if (at) check_name(tag, slot, *at, place);
  if (slot.word.has(delivered)) return false;
  slot.word.set(delivered);
  if (record.mark() != Mark::none) slot.word.set(first_marked);
  return true;
}

// Before check_name(): a tag without a position until now is not the record that this one has.
void Audit::check_content(StreamSeq at, CodedSlot& slot, std::optional<TagRef> tag,
                          const RecordReader& record, std::optional<Place> place) {
  constexpr unsigned unprinted_bits = 64 - print_bits;
  const auto print =
      std::max(std::uint32_t{1}, static_cast<std::uint32_t>(record.content() >> unprinted_bits));
  if (slot.print == 0) {
    slot.print = print;
    return;
  }
  const bool is_another = tag && !logs_[tag->log].records.at(tag->n).word.has(placed);
  if (slot.print == print && !is_another) return;
  found(Kind::position_shared, place, at,
        [&] { return "another record has this position: " + whereabouts(at); });
}

void Audit::check_name(TagRef tag, CodedSlot& slot, StreamSeq at, std::optional<Place> place) {
  if (!slot.word.has(placed)) {
    slot.word.set(at.seq, at.stream);
    slot.word.set(placed);
    return;
  }
  const StreamSeq before{.stream = slot.word.index(), .seq = slot.word.number()};
  if (before == at || root_of(before) == root_of(at)) return;
  found(
      Kind::record_renamed, place, at,
      [&] {
        return text_of(tag) + " is also " + text_of(before) + " (" + whereabouts(before) + ")";
      },
      1, tag);
}

void Audit::judge_stream_order(StreamSeq at, std::optional<TagRef> tag, Place place,
                               const RecordReader& record) {
  Stream& stream = streams_[at.stream];
  const std::uint16_t partition = number_of(place);
  if (partition >= stream.highest.size()) stream.highest.resize(partition + 1U);
  std::uint64_t& highest = stream.highest[partition];
  if (at.seq > highest) {
    highest = at.seq;
    return;
  }
  // Below the highest: a copy of something met before, or it came too late.
  const PackedWord first = stream.seqs.at(at.seq).word;
  if (first.number() != place.offset || first.index() != partition) return;
  const StreamSeq overtaker{.stream = at.stream, .seq = highest};
  const auto story = [&] {
    return "first seen after " + text_of(overtaker) + " (" + whereabouts(overtaker) + ")";
  };
  if (!record.key()) {
    unkeyed_.push_back(
        {.kind = Kind::reordered_stream, .place = place, .at = at, .tag = tag, .story = story()});
    return;
  }
  found(Kind::reordered_stream, place, at, story, 1, tag);
}

void Audit::judge_key_order(TagRef tag, std::optional<StreamSeq> at, Place place,
                            const RecordReader& record) {
  const auto key = record.key_hash();
  const std::uint64_t hash =
      order_hash(tag.log, place.topic, key ? *key : ~std::uint64_t{place.partition});
  const std::uint32_t partition = number_of(place);
  const auto last = keys_.find(hash);
  if (!last || (last->partition == partition && tag.n > last->n)) {
    keys_.put(hash, {.n = tag.n, .partition = partition});
    return;
  }
  const TagRef other{.log = tag.log, .n = last->n};
  if (last->partition != partition) {
    found(
        Kind::key_in_two_places, place, at,
        [&] {
          return text_of(tag) + "; its key went to partition " +
                 std::to_string(partitions_[last->partition].second) +
                 " before: " + text_of(other) + " (" + whereabouts(other) + ")";
        },
        1, tag);
    keys_.put(hash, {.n = tag.n, .partition = partition});
    return;
  }
  const auto story = [&] {
    return text_of(tag) + ", first seen after " + text_of(other) + " (" + whereabouts(other) + ")";
  };
  if (!key && at) {
    unkeyed_.push_back(
        {.kind = Kind::reordered_key, .place = place, .at = *at, .tag = tag, .story = story()});
    return;
  }
  found(Kind::reordered_key, place, at, story, 1, tag);
}

// The seq under which a record was first refused, through any number of renumberings.
Audit::StreamSeq Audit::root_of(StreamSeq at) const {
  if (renumbered_.empty()) return at;
  // A seq is given later than the one it replaces, so a chain that climbs is no chain.
  for (auto next = renumbered_.find(at); next != renumbered_.end() && next->second.from < at.seq;
       next = renumbered_.find(at)) {
    at.seq = next->second.from;
  }
  return at;
}

void Audit::watch_memory() {
  std::size_t bytes = keys_.bytes() + lane_of_key_.bytes() + repeats_.capacity() * sizeof(Repeat) +
                      rows_.capacity() * sizeof(Row) +
                      dead_letters_.capacity() * sizeof(dead_letters_[0]);
  const std::size_t open_max =
      std::max(open_pages_min, open_pages_max / (streams_.size() + logs_.size() + 1));
  for (Stream& stream : streams_) {
    stream.seqs.pack_idle(open_max);
    bytes += stream.seqs.bytes();
  }
  for (PublisherLog& log : logs_) {
    log.records.pack_idle(open_max);
    bytes += log.records.bytes();
  }
  result_.memory_bytes = std::max(result_.memory_bytes, bytes);
  if (bytes <= scope_.memory_bytes_max || full_) return;
  full_ = true;
  doubt("the audit's memory is full after " + std::to_string(result_.messages) + " messages");
}

}  // namespace spillway::verify
