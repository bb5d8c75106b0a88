// tests/history/mutations_loss.cpp: M1 to M10: something accepted is taken away.

#include <algorithm>
#include <array>

#include "history/copies.hpp"
#include "history/mutation.hpp"

namespace spillway::history {
namespace {

using verify::History;
using verify::Promise;

// Only what is nowhere else is lost with its messages.
bool is_owed(const History& history, const Copy& copy) {
  return !copy.stored && was_accepted(history, copy.name);
}

template <class Wanted>
bool lose_one(History& history, Random& random, const Wanted& wanted) {
  const auto copies = copies_of(history);
  const auto site = one_copy(copies, random, [&](const Copy& copy) {
    return is_owed(history, copy) && wanted(copies, copy);
  });
  if (!site) return false;
  remove_messages(history, {site->name});
  return true;
}

template <class Wanted>
bool lose_all(History& history, const Wanted& wanted) {
  std::set<verify::RecordName> names;
  bool any_owed = false;
  for (const Copy& copy : copies_of(history)) {
    if (!wanted(copy)) continue;
    names.insert(copy.name);
    any_owed = any_owed || is_owed(history, copy);
  }
  if (!any_owed) return false;
  remove_messages(history, names);
  return true;
}

bool lose_only_copy(History& history, Random& random) {
  return lose_one(history, random, [](const auto&, const Copy& copy) { return copy.copies == 1; });
}

bool lose_last_of_stream(History& history, Random& random) {
  const std::uint64_t instance = random.one_of(history.instances).id;
  const auto lane = static_cast<std::uint16_t>(random.below(3));
  const std::uint64_t last = last_seq(history, instance, lane);
  return lose_one(history, random, [&](const auto&, const Copy& copy) {
    return copy.position == verify::Position{.instance = instance, .lane = lane, .seq = last};
  });
}

bool lose_first_of_stream(History& history, Random& random) {
  return lose_one(history, random,
                  [](const auto&, const Copy& copy) { return copy.position.seq == 1; });
}

bool lose_spilled_batch(History& history, Random& random) {
  const auto& commits = history.outbox_log->commits;
  if (commits.empty()) return false;
  const verify::SeqRange batch = random.one_of(commits).rows;
  return lose_all(history, [&](const Copy& copy) {
    return copy.position.instance == batch.instance && copy.position.lane == batch.lane &&
           batch.first <= copy.position.seq && copy.position.seq <= batch.last;
  });
}

bool lose_publisher(History& history, Random& random) {
  const std::uint32_t publisher = random.one_of(history.publishers).publisher;
  return lose_all(history, [&](const Copy& copy) { return copy.name.publisher == publisher; });
}

verify::RecordName name_in(const verify::RawRecord& record) {
  const verify::Tag tag = read(record).payload().tag;
  return {.run = tag.run, .publisher = tag.publisher, .n = tag.n};
}

template <class Wanted>
bool lose_stored(History& history, std::vector<verify::StoredCopy>& list, Random& random,
                 const Wanted& wanted) {
  std::set<verify::RecordName> elsewhere;
  for (const Copy& copy : copies_of(history))
    elsewhere.insert(copy.name);
  std::vector<std::size_t> sites;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const verify::RecordName name = name_in(list[i].record);
    if (wanted(list[i]) && !elsewhere.contains(name) && was_accepted(history, name)) {
      sites.push_back(i);
    }
  }
  if (sites.empty()) return false;
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(random.one_of(sites)));
  return true;
}

// A held row is in the journal too.
bool lose_pending_row(History& history, Random& random) {
  return lose_stored(history, history.outbox, random,
                     [](const verify::StoredCopy& row) { return !row.held; });
}

bool lose_dead_letter(History& history, Random& random) {
  return lose_stored(history, history.dead_letters, random,
                     [](const verify::StoredCopy&) { return true; });
}

bool lose_ambiguous(History& history, Random& random) {
  return lose_one(history, random, [](const auto&, const Copy& copy) {
    return copy.copies == 1 && copy.mark != verify::Mark::none;
  });
}

bool lose_last_ms_before_kill(History& history, Random& random) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> kills;  // instance, when
  for (const verify::InstanceHistory& instance : history.instances) {
    for (const verify::Life& life : instance.lives) {
      if (!life.closed_ok) kills.emplace_back(instance.id, life.ended_ns);
    }
  }
  if (kills.empty()) return false;
  const auto [instance, at_ns] = random.one_of(kills);
  return lose_all(history, [&](const Copy& copy) {
    const std::uint64_t return_ns = call_of(history, copy.name).return_ns;
    return copy.position.instance == instance && return_ns < at_ns &&
           at_ns - return_ns < 1'000'000 && !copy.stored;
  });
}

bool lose_tail_of_partition(History& history, Random& random) {
  const auto copies = copies_of(history);
  const auto from = one_copy(copies, random, [&](const Copy& copy) {
    return copy.is_first && copy.copies == 1 && is_owed(history, copy);
  });
  if (!from) return false;
  auto& messages = log_of(history, *from).messages;
  messages.erase(messages.begin() + static_cast<std::ptrdiff_t>(from->n), messages.end());
  return true;
}

constexpr std::array table{
    Mutation{"M1", "only copy lost", Promise::no_loss, lose_only_copy},
    Mutation{"M2", "last of a stream lost", Promise::no_loss, lose_last_of_stream},
    Mutation{"M3", "first of a stream lost", Promise::no_loss, lose_first_of_stream},
    Mutation{"M4", "a spilled batch lost", Promise::no_loss, lose_spilled_batch},
    Mutation{"M5", "all of a publisher lost", Promise::no_loss, lose_publisher},
    Mutation{"M6", "pending row lost", Promise::no_loss, lose_pending_row},
    Mutation{"M7", "dead letter lost", Promise::no_loss, lose_dead_letter},
    Mutation{"M8", "only copy of an ambiguous record lost", Promise::no_loss, lose_ambiguous},
    Mutation{"M9", "last ms before a kill lost", Promise::no_loss, lose_last_ms_before_kill},
    Mutation{"M10", "tail of a partition lost", Promise::no_loss, lose_tail_of_partition},
};

}  // namespace

std::span<const Mutation> losses() {
  return table;
}

}  // namespace spillway::history
