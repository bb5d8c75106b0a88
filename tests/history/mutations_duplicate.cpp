// tests/history/mutations_duplicate.cpp: M11 to M21: a copy too many, or a mark in the wrong place.

#include <algorithm>
#include <array>

#include "history/copies.hpp"
#include "history/mutation.hpp"

namespace spillway::history {
namespace {

using verify::History;
using verify::Mark;
using verify::Promise;

// Whoever sends a record again without knowing it sends it as it was.
verify::RawRecord unmarked(verify::RawRecord record) {
  remove_header(record, "spillway-resend");
  return record;
}

bool is_lone(const Copy& copy) {
  return copy.copies == 1 && copy.mark == Mark::none && !copy.stored;
}

bool copy_adjacent(History& history, Random& random) {
  const auto site = one_copy(copies_of(history), random, is_lone);
  if (!site) return false;
  insert_behind(log_of(history, *site), site->n, record_of(history, *site));
  return true;
}

bool copy_far_later(History& history, Random& random) {
  const auto site = one_copy(copies_of(history), random, [&](const Copy& copy) {
    return is_lone(copy) && copy.n + 3 < log_of(history, copy).messages.size();
  });
  if (!site) return false;
  append(log_of(history, *site), record_of(history, *site));
  return true;
}

bool copy_in_other_partition(History& history, Random& random) {
  const auto site = one_copy(copies_of(history), random, [&](const Copy& copy) {
    return is_lone(copy) && history.topics[copy.topic].partitions > 1;
  });
  if (!site) return false;
  auto& logs = history.topics[site->topic].logs;
  append(logs[(site->log + 1) % logs.size()], record_of(history, *site));
  return true;
}

// An explained repeat, its first copy unmarked, and its marked one.
template <class Wanted>
std::optional<Copy> explained_repeat(const std::vector<Copy>& copies, Random& random,
                                     const Wanted& wanted) {
  return one_copy(copies, random, [&](const Copy& copy) {
    return copy.copies == 2 && copy.mark != Mark::none && wanted(copy);
  });
}
constexpr auto any = [](const Copy&) { return true; };

bool third_copy(History& history, Random& random) {
  const auto site = explained_repeat(copies_of(history), random, any);
  if (!site) return false;
  append(log_of(history, *site), unmarked(record_of(history, *site)));
  return true;
}

template <class Wanted>
bool move_mark(History& history, Random& random, const Wanted& wanted) {
  const auto copies = copies_of(history);
  const auto from = explained_repeat(copies, random, any);
  if (!from) return false;
  const auto to = one_copy(copies, random, [&](const Copy& copy) {
    return copy.mark == Mark::none && copy.name != from->name && wanted(*from, copy);
  });
  if (!to) return false;
  const verify::RawHeader mark = *header_of(record_of(history, *from), "spillway-resend");
  remove_header(record_of(history, *from), "spillway-resend");
  record_of(history, *to).headers.push_back(mark);
  return true;
}

bool mark_to_neighbour(History& history, Random& random) {
  return move_mark(history, random, [](const Copy& from, const Copy& to) {
    const std::uint64_t gap = from.position.seq > to.position.seq
                                  ? from.position.seq - to.position.seq
                                  : to.position.seq - from.position.seq;
    return to.same_stream(from) && gap <= 2;
  });
}

bool mark_to_other_lane(History& history, Random& random) {
  return move_mark(history, random, [](const Copy& from, const Copy& to) {
    return to.position.instance == from.position.instance && !to.same_stream(from);
  });
}

bool mark_to_other_instance(History& history, Random& random) {
  return move_mark(history, random, [](const Copy& from, const Copy& to) {
    return to.position.instance != from.position.instance;
  });
}

bool remove_mark(History& history, Random& random) {
  const auto site = explained_repeat(copies_of(history), random, any);
  if (!site) return false;
  remove_header(record_of(history, *site), "spillway-resend");
  return true;
}

// The cause is one that did happen, to other numbers of the stream if to any.
bool mark_never_sent_before(History& history, Random& random) {
  const auto site = one_copy(copies_of(history), random, [&](const Copy& copy) {
    return is_lone(copy) &&
           std::ranges::none_of(*history.causes, [&](const verify::ResendCause& cause) {
             const auto covers = [&](std::uint64_t seq) {
               return cause.first_seq <= seq && seq <= cause.last_seq;
             };
             return cause.instance == copy.position.instance && cause.lane == copy.position.lane &&
                    (covers(copy.position.seq) || covers(copy.renumbered_from));
           });
  });
  if (!site) return false;
  record_of(history, *site).headers.push_back({"spillway-resend", "lease"});
  return true;
}

std::optional<verify::StoredCopy> as_dead_letter(History& history, const Copy& copy) {
  verify::StoredCopy letter{.topic = history.topics[copy.topic].name,
                            .position = copy.position,
                            .renumbered_from = copy.renumbered_from,
                            .record = record_of(history, copy),
                            .error = "MSG_SIZE_TOO_LARGE: Broker: Message size too large"};
  std::erase_if(letter.record.headers, [](const verify::RawHeader& header) {
    return header.name.starts_with("spillway-");
  });
  return letter;
}

bool delivered_and_dead(History& history, Random& random) {
  const auto site = one_copy(copies_of(history), random, is_lone);
  if (!site) return false;
  history.dead_letters.push_back(*as_dead_letter(history, *site));
  return true;
}

bool pending_and_dead(History& history, Random& random) {
  if (history.outbox.empty()) return false;
  verify::StoredCopy letter = random.one_of(history.outbox);
  letter.held = false;
  letter.error = "MSG_SIZE_TOO_LARGE: Broker: Message size too large";
  history.dead_letters.push_back(std::move(letter));
  return true;
}

constexpr std::array table{
    Mutation{"M11", "copy right behind", Promise::no_unexplained_duplicate, copy_adjacent},
    Mutation{"M12", "copy far later", Promise::no_unexplained_duplicate, copy_far_later},
    Mutation{"M13", "copy in another partition", Promise::no_unexplained_duplicate,
             copy_in_other_partition},
    Mutation{"M14", "third copy, one mark", Promise::no_unexplained_duplicate, third_copy},
    Mutation{"M15", "mark moved to a neighbour", Promise::no_unexplained_duplicate,
             mark_to_neighbour},
    Mutation{"M16", "mark moved to another lane", Promise::no_unexplained_duplicate,
             mark_to_other_lane},
    Mutation{"M17", "mark moved to another instance", Promise::no_unexplained_duplicate,
             mark_to_other_instance},
    Mutation{"M18", "mark removed", Promise::no_unexplained_duplicate, remove_mark},
    Mutation{"M19", "mark on a record never sent before", Promise::no_unexplained_duplicate,
             mark_never_sent_before},
    Mutation{"M20", "delivered and dead-lettered", Promise::gapless, delivered_and_dead},
    Mutation{"M21", "pending and dead-lettered", Promise::gapless, pending_and_dead},
};

}  // namespace

std::span<const Mutation> duplicates() {
  return table;
}

}  // namespace spillway::history
