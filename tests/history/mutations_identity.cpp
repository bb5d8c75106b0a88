// tests/history/mutations_identity.cpp: M35 to M45: a position that is not the record's own.

#include <algorithm>
#include <array>

#include "history/copies.hpp"
#include "history/mutation.hpp"

namespace spillway::history {
namespace {

using verify::History;
using verify::Position;
using verify::Promise;

bool is_lone(const Copy& copy) {
  return copy.copies == 1 && !copy.stored && copy.renumbered_from == 0;
}

// Gives one record's only message another position.
template <class Other>
bool rename_one(History& history, Random& random, const Other& other) {
  const auto site = one_copy(copies_of(history), random, is_lone);
  if (!site) return false;
  set_position(record_of(history, *site), other(site->position));
  return true;
}

bool position_on_two(History& history, Random& random) {
  const auto pair = two_copies(copies_of(history), random, [](const Copy& a, const Copy& b) {
    return is_lone(a) && is_lone(b) && a.same_stream(b);
  });
  if (!pair) return false;
  set_position(record_of(history, pair->second), pair->first.position);
  return true;
}

bool two_positions(History& history, Random& random) {
  const auto site = one_copy(copies_of(history), random, [](const Copy& copy) {
    return copy.copies == 2 && !copy.is_first && copy.renumbered_from == 0;
  });
  if (!site) return false;
  Position position = site->position;
  position.seq = last_seq(history, position.instance, position.lane) + 1;
  set_position(record_of(history, *site), position);
  return true;
}

// Applies `renumber` to every position of a stream, wherever it stands.
template <class Renumber>
void renumber_stream(History& history, const Position& stream, const Renumber& renumber) {
  const auto is_of_stream = [&](const Position& position) {
    return position.instance == stream.instance && position.lane == stream.lane;
  };
  for (const Copy& copy : copies_of(history)) {
    if (!is_of_stream(copy.position)) continue;
    verify::RawRecord& record = record_of(history, copy);
    Position position = copy.position;
    position.seq = renumber(position.seq, copy.name);
    set_position(record, position);
    if (copy.renumbered_from == 0) continue;
    header_of(record, "spillway-renumbered")->value =
        std::to_string(renumber(copy.renumbered_from, copy.name));
  }
  for (auto* list : {&history.outbox, &history.journals, &history.dead_letters}) {
    for (verify::StoredCopy& one : *list) {
      if (!is_of_stream(one.position)) continue;
      const verify::Tag tag = read(one.record).payload().tag;
      const verify::RecordName name{.run = tag.run, .publisher = tag.publisher, .n = tag.n};
      one.position.seq = renumber(one.position.seq, name);
      if (one.renumbered_from != 0) one.renumbered_from = renumber(one.renumbered_from, name);
    }
  }
}

bool restarts_after_crash(History& history, Random& random) {
  const verify::InstanceHistory& instance = random.one_of(history.instances);
  if (instance.lives.size() < 2 || instance.lives.front().closed_ok) return false;
  const std::uint64_t killed_ns = instance.lives.front().ended_ns;
  const auto is_later = [&](const verify::RecordName& name) {
    return history.publishers[name.publisher].calls.front().begin_ns > killed_ns;
  };
  const auto copies = copies_of(history);
  const auto site = one_copy(copies, random, [&](const Copy& copy) {
    return copy.position.instance == instance.id && is_later(copy.name);
  });
  if (!site) return false;
  std::uint64_t first = site->position.seq;
  bool has_first = false;
  for (const Copy& copy : copies) {
    if (!copy.same_stream(*site)) continue;
    has_first = has_first || copy.position.seq == 1;
    if (!is_later(copy.name)) continue;
    first = std::min(
        {first, copy.position.seq, copy.renumbered_from == 0 ? first : copy.renumbered_from});
  }
  // Somebody else has number 1, and the first number of the next life is a message's.
  const bool first_is_message = std::ranges::any_of(copies, [&](const Copy& copy) {
    return copy.same_stream(*site) && copy.position.seq == first;
  });
  if (first == 1 || !has_first || !first_is_message) return false;
  renumber_stream(history, site->position, [&](std::uint64_t seq, const verify::RecordName& name) {
    return is_later(name) && seq >= first ? seq - first + 1 : seq;
  });
  return true;
}

bool shifted_by_one(History& history, Random& random) {
  const auto site = one_copy(copies_of(history), random, [](const Copy&) { return true; });
  if (!site) return false;
  const std::uint64_t from = site->position.seq;
  renumber_stream(history, site->position, [&](std::uint64_t seq, const verify::RecordName&) {
    return seq >= from ? seq + 1 : seq;
  });
  return true;
}

bool seq_zero(History& history, Random& random) {
  return rename_one(history, random, [](Position position) {
    position.seq = 0;
    return position;
  });
}

bool seq_above_max(History& history, Random& random) {
  return rename_one(history, random, [&](Position position) {
    position.seq = last_seq(history, position.instance, position.lane) + 1'000;
    return position;
  });
}

bool unknown_lane(History& history, Random& random) {
  return rename_one(history, random, [](Position position) {
    position.lane += 60;
    return position;
  });
}

bool unknown_instance(History& history, Random& random) {
  return rename_one(history, random, [](Position position) {
    position.instance ^= 1U;
    return position;
  });
}

template <class Edit>
bool edit_header(History& history, Random& random, const Edit& edit) {
  const auto site = one_copy(copies_of(history), random, is_lone);
  if (!site) return false;
  edit(record_of(history, *site), *site);
  return true;
}

bool no_header(History& history, Random& random) {
  return edit_header(history, random, [](verify::RawRecord& record, const Copy&) {
    remove_header(record, "spillway-position");
  });
}

bool cut_header(History& history, Random& random) {
  return edit_header(history, random, [&](verify::RawRecord& record, const Copy&) {
    header_of(record, "spillway-position")->value->resize(random.below(18));
  });
}

bool two_headers(History& history, Random& random) {
  return edit_header(history, random, [](verify::RawRecord& record, const Copy& site) {
    Position other = site.position;
    ++other.seq;
    record.headers.push_back({"spillway-position", verify::text_of(other)});
  });
}

constexpr std::array table{
    Mutation{"M35", "position on two records", Promise::one_position, position_on_two},
    Mutation{"M36", "two positions for one record", Promise::one_position, two_positions},
    Mutation{"M37", "seq restarts after a crash", Promise::one_position, restarts_after_crash},
    Mutation{"M38", "seqs shifted by 1", Promise::gapless, shifted_by_one},
    // 0 is no number at all, so it is no position; that its own number is missing is seen as well.
    Mutation{"M39", "seq 0", Promise::one_position, seq_zero},
    Mutation{"M40", "seq above the last", Promise::gapless, seq_above_max},
    Mutation{"M41", "unknown lane", Promise::one_position, unknown_lane},
    Mutation{"M42", "unknown instance", Promise::one_position, unknown_instance},
    Mutation{"M43", "no position header", Promise::one_position, no_header},
    Mutation{"M44", "position header cut", Promise::one_position, cut_header},
    Mutation{"M45", "two position headers that differ", Promise::one_position, two_headers},
};

}  // namespace

std::span<const Mutation> identities() {
  return table;
}

}  // namespace spillway::history
