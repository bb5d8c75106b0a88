// tests/history/damages.cpp: inputs that are not whole, and changes that no promise forbids.

#include <algorithm>
#include <array>

#include "history/copies.hpp"
#include "history/mutation.hpp"

namespace spillway::history {
namespace {

using verify::History;

// ---- Damaged

bool log_cut(History& history, Random& random) {
  auto& calls = history.publishers[random.below(history.publishers.size())].calls;
  if (calls.empty()) return false;
  calls.resize(random.below(calls.size()));
  return true;
}

verify::PartitionLog* a_log(History& history, Random& random) {
  auto& logs = history.topics[random.below(history.topics.size())].logs;
  verify::PartitionLog& log = logs[random.below(logs.size())];
  return log.messages.empty() ? nullptr : &log;
}

bool topic_short(History& history, Random& random) {
  verify::PartitionLog* const log = a_log(history, random);
  if (log == nullptr) return false;
  const std::size_t kept = random.below(log->messages.size());
  log->read_to = log->messages[kept].offset;
  log->messages.resize(kept);
  return true;
}

bool partition_missing(History& history, Random& random) {
  auto& logs = history.topics[random.below(history.topics.size())].logs;
  logs.erase(logs.begin() + static_cast<std::ptrdiff_t>(random.below(logs.size())));
  return true;
}

bool unknown_cause(History& history, Random& random) {
  const auto site = one_copy(copies_of(history), random,
                             [](const Copy& copy) { return copy.mark != verify::Mark::none; });
  if (!site) return false;
  header_of(record_of(history, *site), "spillway-resend")->value = "mood";
  return true;
}

bool beginning_removed(History& history, Random& random) {
  verify::PartitionLog* const log = a_log(history, random);
  if (log == nullptr) return false;
  log->first_offset = log->messages.front().offset + 1;
  log->messages.erase(log->messages.begin());
  return true;
}

bool two_logs(History& history, Random& random) {
  history.publishers.push_back(random.one_of(history.publishers));
  return true;
}

constexpr std::array damages{
    Damage{"D1", "accept log cut", log_cut},
    Damage{"D2", "topic short", topic_short},
    Damage{"D3", "partition missing", partition_missing},
    Damage{"D4", "unknown cause in a mark", unknown_cause},
    Damage{"D5", "log start above 0", beginning_removed},
    Damage{"D6", "two logs of one publisher", two_logs},
};

// ---- Silent

// The later one: without the first, its neighbours' first copies would be before the second.
bool copy_of_repeat_removed(History& history, Random& random) {
  const auto site = one_copy(copies_of(history), random,
                             [](const Copy& copy) { return copy.copies == 2 && !copy.is_first; });
  if (!site) return false;
  remove_message(history, *site);
  return true;
}

bool other_stream_swapped(History& history, Random& random) {
  const auto copies = copies_of(history);
  const auto pair = two_copies(copies, random, [](const Copy& a, const Copy& b) {
    return a.same_partition(b) && b.n == a.n + 1 && !a.same_stream(b) &&
           (a.position.instance != b.position.instance || a.key != b.key);
  });
  if (!pair) return false;
  std::swap(record_of(history, pair->first), record_of(history, pair->second));
  return true;
}

bool offsets_skipped(History& history, Random& random) {
  verify::PartitionLog* const log = a_log(history, random);
  if (log == nullptr) return false;
  for (std::size_t n = random.below(log->messages.size()); n < log->messages.size(); ++n)
    log->messages[n].offset += 2;
  log->end_offset += 3;  // another one at its end
  log->read_to = log->end_offset;
  return true;
}

bool unknown_absent(History& history, Random& random) {
  auto& publisher = history.publishers[random.below(history.publishers.size())];
  if (publisher.calls.empty() || publisher.calls.back().has(verify::Answer::none)) return false;
  publisher.calls.push_back({.begin_ns = publisher.calls.back().return_ns,
                             .return_ns = 0,
                             .content = 1,
                             .answer = static_cast<std::uint64_t>(verify::Answer::none)});
  ++publisher.begun;
  return true;
}

bool unknown_present(History& history, Random& random) {
  auto& publisher = history.publishers[random.below(history.publishers.size())];
  if (publisher.calls.empty() || !publisher.calls.back().has(verify::Answer::accepted)) {
    return false;
  }
  publisher.calls.back().return_ns = 0;
  publisher.calls.back().answer = static_cast<std::uint64_t>(verify::Answer::none);
  return true;
}

bool dead_letter_in_gap(History& history, Random& random) {
  const auto site = one_copy(copies_of(history), random, [](const Copy& copy) {
    return copy.copies == 1 && !copy.stored && copy.mark == verify::Mark::none;
  });
  if (!site) return false;
  const auto report =
      std::ranges::find(*history.outcomes, site->name, &verify::OutcomeReport::record);
  if (report == history.outcomes->end() || report->outcome != verify::Outcome::delivered) {
    return false;
  }
  report->outcome = verify::Outcome::dead_lettered;
  auto& counters =
      *std::ranges::find(history.instances, site->position.instance, &verify::InstanceHistory::id)
           ->counters;
  --counters.delivered;
  ++counters.dead_lettered;
  verify::StoredCopy letter{.topic = history.topics[site->topic].name,
                            .position = site->position,
                            .renumbered_from = site->renumbered_from,
                            .record = record_of(history, *site),
                            .error = "INVALID_RECORD: Broker: Broker failed to validate record"};
  std::erase_if(letter.record.headers, [](const verify::RawHeader& header) {
    return header.name.starts_with("spillway-");
  });
  history.dead_letters.push_back(std::move(letter));
  remove_message(history, *site);
  return true;
}

bool late_append(History& history, Random& random) {
  const auto site = one_copy(copies_of(history), random, [](const Copy& copy) {
    return copy.copies == 1 && copy.mark != verify::Mark::none;
  });
  if (!site) return false;
  verify::RawRecord record = record_of(history, *site);
  remove_header(record, "spillway-resend");
  remove_header(record, "spillway-relayed");
  append(log_of(history, *site), std::move(record));
  return true;
}

// One call ended in the nanosecond in which the other began: either may have the lower number.
// Neighbours of a stream in two partitions, so that nothing else tells which.
bool equal_stamps(History& history, Random& random) {
  const auto copies = copies_of(history);
  const auto is_plain = [](const Copy& copy) {
    return copy.copies == 1 && !copy.stored && !copy.relayed && copy.renumbered_from == 0;
  };
  std::map<verify::Position, const Copy*> by_position;
  for (const Copy& copy : copies) {
    if (is_plain(copy)) by_position[copy.position] = &copy;
  }
  std::vector<std::pair<const Copy*, const Copy*>> sites;
  for (const auto& [position, first] : by_position) {
    verify::Position next = position;
    ++next.seq;
    const auto second = by_position.find(next);
    if (second == by_position.end() || first->same_partition(*second->second) ||
        first->name.publisher == second->second->name.publisher) {
      continue;
    }
    const auto& calls = history.publishers[first->name.publisher].calls;
    const verify::Accept& call = calls[first->name.n];
    const std::uint64_t begin_ns = call_of(history, second->second->name).begin_ns;
    const bool has_room =
        first->name.n + 1 == calls.size() || calls[first->name.n + 1].begin_ns >= begin_ns;
    if (call.has(verify::Answer::accepted) && call.begin_ns <= begin_ns && has_room &&
        begin_ns - call.begin_ns <= *history.call_ns_max) {
      sites.emplace_back(first, second->second);
    }
  }
  if (sites.empty()) return false;
  const auto [first, second] = random.one_of(sites);
  history.publishers[first->name.publisher].calls[first->name.n].return_ns =
      call_of(history, second->name).begin_ns;
  set_position(record_of(history, *first), second->position);
  set_position(record_of(history, *second), first->position);
  return true;
}

constexpr std::array silent_changes{
    Damage{"S1", "one copy of an explained repeat removed", copy_of_repeat_removed},
    Damage{"S2", "neighbours of different streams swapped", other_stream_swapped},
    Damage{"S3", "offsets of control records skipped", offsets_skipped},
    Damage{"S4", "unknown accept absent", unknown_absent},
    Damage{"S5", "unknown accept present", unknown_present},
    Damage{"S6", "dead letter in a gap", dead_letter_in_gap},
    Damage{"S7", "late append after the relay's copy", late_append},
    Damage{"S8", "equal stamps", equal_stamps},
};

}  // namespace

std::vector<Mutation> all_mutations() {
  std::vector<Mutation> all;
  for (const auto family :
       {losses(), duplicates(), reorders(), identities(), contents(), ledgers(), timings()}) {
    all.insert(all.end(), family.begin(), family.end());
  }
  return all;
}

std::vector<Damage> all_damages() {
  return {damages.begin(), damages.end()};
}

std::vector<Damage> all_silent_changes() {
  return {silent_changes.begin(), silent_changes.end()};
}

}  // namespace spillway::history
