// tools/verify/audit_verdict.cpp: the end of an audit: what only the whole history can tell.

#include <algorithm>
#include <limits>
#include <tuple>

#include "verify/audit.hpp"

namespace spillway::verify {

AuditResult Audit::finish() {
  watch_memory();
  find_repeats_under_two_seqs();
  judge_repeats();
  judge_unkeyed();
  judge_rows();
  judge_dead_letters();
  if (!full_) {
    judge_presence();
    judge_gaps();
    judge_call_order();
  }
  note_what_is_not_judged();
  result_.partitions = partitions_.size();
  result_.streams = streams_.size();
  result_.publishers = logs_.size();
  return std::move(result_);
}

PackedWord Audit::position_at(StreamSeq at) const {
  const auto slot = streams_[at.stream].seqs.find(at.seq);
  return slot ? slot->word : PackedWord{};
}

PackedWord Audit::record_at(TagRef tag) const {
  const auto slot = logs_[tag.log].records.find(tag.n);
  return slot ? slot->word : PackedWord{};
}

// A foreign record has only its position, so the two seqs of a renumbered one meet here.
void Audit::find_repeats_under_two_seqs() {
  for (const auto& [at, renumbered] : renumbered_) {
    if (!renumbered.foreign) continue;
    const StreamSeq root = root_of(at);
    const PackedWord first = position_at(at);
    if (root == at || !first.has(delivered) || !position_at(root).has(delivered)) continue;
    Repeat repeat{.number = root.seq, .owner = foreign_owner | root.stream, .at = {}};
    repeat.at.set(first.number(), first.index());
    if (first.has(first_marked)) repeat.at.set(first_marked);
    repeats_.push_back(repeat);
  }
}

// Copies of a record <= 1 + copies marked.
void Audit::judge_repeats() {
  const auto record_of = [](const Repeat& r) { return std::pair{r.owner, r.number}; };
  std::ranges::sort(repeats_, [&](const Repeat& a, const Repeat& b) {
    return std::tuple{record_of(a), a.at.index(), a.at.number()} <
           std::tuple{record_of(b), b.at.index(), b.at.number()};
  });
  for (auto first = repeats_.begin(); first != repeats_.end();) {
    const auto end = std::find_if(first, repeats_.end(), [&](const Repeat& other) {
      return record_of(other) != record_of(*first);
    });
    const bool is_foreign = (first->owner & foreign_owner) != 0;
    const auto index = first->owner & ~foreign_owner;
    const PackedWord original =
        is_foreign
            ? position_at({.stream = static_cast<std::uint16_t>(index), .seq = first->number})
            : record_at({.log = static_cast<std::uint32_t>(index), .n = first->number});
    const auto marked = static_cast<std::uint64_t>(std::count_if(
        first, end, [](const Repeat& repeat) { return repeat.at.has(first_marked); }));
    const auto more = static_cast<std::uint64_t>(end - first);
    const auto explained =
        std::min(more, marked + (original.has(first_marked) ? std::uint64_t{1} : 0));
    result_.duplicates_marked += explained;
    if (more > explained) {
      const StreamSeq at =
          is_foreign ? StreamSeq{.stream = static_cast<std::uint16_t>(index), .seq = first->number}
                     : StreamSeq{.stream = original.index(), .seq = original.number()};
      const bool has_position = is_foreign || original.has(placed);
      found(
          Kind::duplicate_unmarked, place_of(first->at),
          has_position ? std::optional{at} : std::nullopt,
          [&] {
            std::string story = std::to_string(more + 1) + " copies, " + std::to_string(explained) +
                                " of them explained by a mark";
            if (!is_foreign) {
              const TagRef tag{.log = static_cast<std::uint32_t>(index), .n = first->number};
              story.insert(0, text_of(tag) + ": ");
            }
            return has_position ? story + "; " + whereabouts(at) : story;
          },
          more - explained,
          is_foreign ? std::nullopt
                     : std::optional{
                           TagRef{.log = static_cast<std::uint32_t>(index), .n = first->number}});
    }
    first = end;
  }
}

// A record without a key goes to a partition of its own each time it is sent, so a late copy may be
// the only one in its partition. The repeats are sorted.
void Audit::judge_unkeyed() {
  for (const Unkeyed& late : unkeyed_) {
    const auto record = late.tag ? std::pair{std::uint64_t{late.tag->log}, late.tag->n}
                                 : std::pair{foreign_owner | late.at.stream, late.at.seq};
    if (std::ranges::binary_search(repeats_, record, {}, [](const Repeat& repeat) {
          return std::pair{repeat.owner, repeat.number};
        })) {
      continue;
    }
    found(
        late.kind, late.place, late.at, [&] { return late.story; }, 1, late.tag);
  }
}

// A row is still to come: whatever of its key and publisher is newer may not be in Kafka yet.
void Audit::judge_rows() {
  for (const Row& row : rows_) {
    if (!row.tag || row.key == 0) continue;
    const PackedWord record = record_at(*row.tag);
    if (record.has(delivered) || record.has(dead)) continue;
    const auto last = keys_.find(row.key);
    if (!last || last->n < row.tag->n) continue;
    const TagRef overtaker{.log = row.tag->log, .n = last->n};
    found(
        Kind::overtaken, {}, row.position,
        [&] {
          return text_of(*row.tag) + " is in the outbox, and " + text_of(overtaker) +
                 " of its key in Kafka already (" + whereabouts(overtaker) + ")";
        },
        1, row.tag);
  }
}

void Audit::judge_dead_letters() {
  for (const auto& [row, is_marked] : dead_letters_) {
    const PackedWord slot = position_at(row.position);
    if (slot.has(waiting)) {
      found(Kind::dead_and_waiting, {}, row.position,
            [] { return std::string{"it is in both tables"}; });
    }
    if (!slot.has(delivered) || is_marked || slot.has(some_marked)) continue;
    found(Kind::dead_and_delivered, place_of(slot), row.position,
          [&] { return "it is also " + whereabouts(row.position); });
  }
}

void Audit::judge_presence() {
  const bool has_logs =
      std::ranges::any_of(logs_, [](const PublisherLog& log) { return log.has_calls; });
  if (has_logs) {
    result_.accepted = 0;
    for (std::size_t log = 0; log < logs_.size(); ++log) {
      if (logs_[log].has_calls) judge_calls(log);
    }
    return;
  }
  if (!accepted_min_) {
    // Nobody says how many there are; but counters are gapless, so what is missing below the last
    // is lost.
    for (std::size_t log = 0; log < logs_.size(); ++log) {
      judge_publisher(log, logs_[log].end, std::numeric_limits<std::uint64_t>::max());
    }
    return;
  }
  result_.accepted = 0;
  for (const std::uint64_t count : *accepted_min_)
    *result_.accepted += count;
  const auto run = scope_.run ? scope_.run : sole_run();
  if (!run && !logs_.empty()) {
    doubt("the topic holds several runs: name the one that the accept counts belong to");
    return;
  }
  const auto& accepted_max = accepted_max_ ? *accepted_max_ : *accepted_min_;
  for (std::uint32_t publisher = 0; publisher < accepted_min_->size(); ++publisher) {
    const auto [known, is_new] = log_index_.try_emplace({run.value_or(0), publisher},
                                                        static_cast<std::uint32_t>(logs_.size()));
    if (is_new) {
      logs_.push_back({.run = run.value_or(0),
                       .publisher = publisher,
                       .end = 0,
                       .calls = {},
                       .has_calls = false});
    }
    const std::uint64_t most = publisher < accepted_max.size() ? accepted_max[publisher] : 0;
    judge_publisher(known->second, (*accepted_min_)[publisher], most);
  }
  for (std::size_t log = 0; log < logs_.size(); ++log) {
    const std::uint32_t publisher = logs_[log].publisher;
    if (publisher < accepted_min_->size()) continue;
    judge_publisher(log, 0, publisher < accepted_max.size() ? accepted_max[publisher] : 0);
  }
}

void Audit::judge_publisher(std::size_t log, std::uint64_t accepted_min,
                            std::uint64_t accepted_max) {
  const PublisherLog& publisher = logs_[log];
  const std::uint64_t end = std::max(publisher.end, accepted_min);
  std::uint64_t lost_from = 0;
  std::uint64_t lost = 0;
  for (std::uint64_t n = 0; n < end; ++n) {
    const auto slot = publisher.records.find(n);
    if (!slot) {  // A page of which nothing was ever met.
      const std::uint64_t page_end = std::min(end, SlotTable::page_end(n));
      if (n < accepted_min) {
        if (lost == 0) lost_from = n;
        lost += std::min(page_end, accepted_min) - n;
      }
      n = page_end - 1;
      continue;
    }
    const bool is_there = is_somewhere(slot->word);
    if (!is_there && n < accepted_min) {
      if (lost++ == 0) lost_from = n;
    } else if (is_there && n > accepted_max) {
      const StreamSeq at{.stream = slot->word.index(), .seq = slot->word.number()};
      const bool has_position = slot->word.has(placed);
      found(Kind::never_accepted, {}, has_position ? std::optional{at} : std::nullopt, [&] {
        return text_of(TagRef{.log = static_cast<std::uint32_t>(log), .n = n}) +
               ", of which only " + std::to_string(accepted_max) + " were accepted" +
               (has_position ? "; " + whereabouts(at) : "");
      });
    } else if (is_there && n == accepted_max) {
      ++result_.unknown;
    }
  }
  if (lost != 0) report_lost(log, lost_from, lost);
}

void Audit::report_lost(std::size_t log, std::uint64_t n, std::uint64_t count) {
  const auto index = static_cast<std::uint32_t>(log);
  found(
      Kind::lost, {}, {},
      [&] {
        std::string story = text_of(TagRef{.log = index, .n = n}) +
                            " is neither in Kafka nor in the outbox nor a dead letter";
        if (n > 0) {
          story += "; the one before it is " + whereabouts(TagRef{.log = index, .n = n - 1});
        }
        if (n + 1 < logs_[log].end) {
          story += "; the one after it is " + whereabouts(TagRef{.log = index, .n = n + 1});
        }
        return story;
      },
      count, TagRef{.log = index, .n = n});
}

std::optional<std::uint64_t> Audit::sole_run() const {
  if (logs_.empty()) return std::nullopt;
  const bool several =
      std::ranges::any_of(logs_, [&](const PublisherLog& log) { return log.run != logs_[0].run; });
  return several ? std::nullopt : std::optional{logs_[0].run};
}

}  // namespace spillway::verify
