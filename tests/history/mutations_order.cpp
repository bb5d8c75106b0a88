// tests/history/mutations_order.cpp: M22 to M34 and M79: the right records in the wrong order.

#include <algorithm>
#include <array>

#include "history/copies.hpp"
#include "history/mutation.hpp"

namespace spillway::history {
namespace {

using verify::History;
using verify::Promise;

bool is_plain(const Copy& copy) {
  return copy.copies == 1 && !copy.stored && copy.renumbered_from == 0;
}

void exchange_messages(History& history, const Copy& a, const Copy& b) {
  std::swap(record_of(history, a), record_of(history, b));
}

void exchange_positions(History& history, const Copy& a, const Copy& b) {
  set_position(record_of(history, a), b.position);
  set_position(record_of(history, b), a.position);
}

template <class Wanted>
bool exchange_two(History& history, Random& random, const Wanted& wanted) {
  const auto pair = two_copies(copies_of(history), random, [&](const Copy& a, const Copy& b) {
    return a.same_partition(b) && a.same_stream(b) && is_plain(a) && is_plain(b) && wanted(a, b);
  });
  if (!pair) return false;
  exchange_messages(history, pair->first, pair->second);
  return true;
}

bool of_one_publisher_and_key(const Copy& a, const Copy& b) {
  return a.key && a.key == b.key && a.name.publisher == b.name.publisher;
}

bool neighbours_of_key(History& history, Random& random) {
  return exchange_two(history, random, [](const Copy& a, const Copy& b) {
    return of_one_publisher_and_key(a, b) && b.n - a.n <= 2;
  });
}

bool far_apart(History& history, Random& random) {
  return exchange_two(history, random, [](const Copy& a, const Copy& b) {
    return of_one_publisher_and_key(a, b) && b.n - a.n > 4;
  });
}

bool across_failover(History& history, Random& random) {
  return exchange_two(history, random,
                      [](const Copy& a, const Copy& b) { return !a.relayed && b.relayed; });
}

bool across_return(History& history, Random& random) {
  return exchange_two(history, random,
                      [](const Copy& a, const Copy& b) { return a.relayed && !b.relayed; });
}

// The records of a batch that lie in one partition, in their order, and nothing else of them.
struct Batch {
  std::vector<Copy> copies;
  std::optional<Copy> first_direct;  // of the stream, behind them
};
std::optional<Batch> batch_of(const History& history, Random& random, std::size_t copies_min) {
  const auto copies = copies_of(history);
  const auto& deletes = history.outbox_log->deletes;
  if (deletes.empty()) return std::nullopt;
  const verify::SeqRange rows = random.one_of(deletes).rows;
  std::optional<Copy> home;
  Batch batch;
  for (const Copy& copy : copies) {
    if (copy.position.instance != rows.instance || copy.position.lane != rows.lane) continue;
    if (home && !copy.same_partition(*home)) continue;
    const bool is_in =
        copy.relayed && rows.first <= copy.position.seq && copy.position.seq <= rows.last;
    if (is_in && copy.copies == 1) {
      home = copy;
      batch.copies.push_back(copy);
    } else if (home && !copy.relayed && copy.copies == 1 && copy.position.seq > rows.last &&
               !batch.first_direct) {
      batch.first_direct = copy;
    }
  }
  if (batch.copies.size() < copies_min) return std::nullopt;
  return batch;
}

// Puts the records at `slots` there in another order.
void lay_out(History& history, const std::vector<Copy>& slots, const std::vector<Copy>& order) {
  std::vector<verify::RawRecord> records;
  for (const Copy& copy : order)
    records.push_back(record_of(history, copy));
  for (std::size_t i = 0; i < slots.size(); ++i)
    record_of(history, slots[i]) = std::move(records[i]);
}

bool batch_behind_direct(History& history, Random& random) {
  const auto batch = batch_of(history, random, 1);
  if (!batch || !batch->first_direct) return false;
  std::vector<Copy> slots = batch->copies;
  slots.push_back(*batch->first_direct);
  std::vector<Copy> order = slots;
  std::rotate(order.begin(), order.end() - 1, order.end());
  lay_out(history, slots, order);
  return true;
}

bool batch_reversed(History& history, Random& random) {
  const auto batch = batch_of(history, random, 2);
  if (!batch) return false;
  lay_out(history, batch->copies, {batch->copies.rbegin(), batch->copies.rend()});
  return true;
}

bool batch_rotated(History& history, Random& random) {
  const auto batch = batch_of(history, random, 3);
  if (!batch) return false;
  std::vector<Copy> order = batch->copies;
  std::rotate(order.begin(), order.begin() + 1, order.end());
  lay_out(history, batch->copies, order);
  return true;
}

bool two_seqs_of_publisher(History& history, Random& random) {
  const auto pair = two_copies(copies_of(history), random, [](const Copy& a, const Copy& b) {
    return a.same_stream(b) && is_plain(a) && is_plain(b) && a.name.publisher == b.name.publisher;
  });
  if (!pair) return false;
  exchange_positions(history, pair->first, pair->second);
  return true;
}

// Numbered as they were published, by two publishers of one instance.
std::optional<std::pair<Copy, Copy>> of_two_publishers(const History& history, Random& random) {
  auto pair = two_copies(copies_of(history), random, [](const Copy& a, const Copy& b) {
    return a.same_stream(b) && is_plain(a) && is_plain(b) && a.name.publisher != b.name.publisher;
  });
  if (pair && pair->first.position.seq > pair->second.position.seq) {
    std::swap(pair->first, pair->second);
  }
  return pair;
}

bool two_causal_seqs(History& history, Random& random) {
  const auto pair = of_two_publishers(history, random);
  if (!pair) return false;
  const verify::Accept& cause = call_of(history, pair->first.name);
  const verify::Accept& effect = call_of(history, pair->second.name);
  if (!cause.has(verify::Answer::accepted) || cause.return_ns >= effect.begin_ns) return false;
  exchange_positions(history, pair->first, pair->second);
  return true;
}

bool two_causal_seqs_1ns_apart(History& history, Random& random) {
  const auto pair = of_two_publishers(history, random);
  if (!pair) return false;
  auto& calls = history.publishers[pair->first.name.publisher].calls;
  verify::Accept& cause = calls[pair->first.name.n];
  const std::uint64_t begin_ns = call_of(history, pair->second.name).begin_ns;
  const std::uint64_t free_until =
      pair->first.name.n + 1 < calls.size() ? calls[pair->first.name.n + 1].begin_ns : begin_ns;
  // Only the end of the first call is moved; it stays one that might have been.
  if (!cause.has(verify::Answer::accepted) || cause.begin_ns >= begin_ns ||
      free_until < begin_ns - 1 || begin_ns - 1 - cause.begin_ns > *history.call_ns_max) {
    return false;
  }
  cause.return_ns = begin_ns - 1;
  exchange_positions(history, pair->first, pair->second);
  return true;
}

bool late_append_alone(History& history, Random& random) {
  const auto copies = copies_of(history);
  const auto pair = two_copies(copies, random, [&](const Copy& marked, const Copy& late) {
    if (marked.name != late.name || !marked.key || marked.copies != 2 ||
        marked.mark == verify::Mark::none || !marked.same_partition(late)) {
      return false;
    }
    return std::ranges::any_of(copies, [&](const Copy& between) {
      return between.same_partition(marked) && between.same_stream(marked) && between.is_first &&
             marked.n < between.n && between.n < late.n &&
             between.position.seq > marked.position.seq;
    });
  });
  if (!pair) return false;
  remove_message(history, pair->first);
  return true;
}

bool one_to_the_end(History& history, Random& random) {
  const auto copies = copies_of(history);
  const auto site = one_copy(copies, random, [&](const Copy& copy) {
    return is_plain(copy) && std::ranges::any_of(copies, [&](const Copy& later) {
             return later.same_partition(copy) && later.same_stream(copy) && later.n > copy.n &&
                    later.position.seq > copy.position.seq;
           });
  });
  if (!site) return false;
  verify::RawRecord record = record_of(history, *site);
  remove_message(history, *site);
  append(log_of(history, *site), std::move(record));
  return true;
}

bool one_left_pending(History& history, Random& random) {
  const auto pair = two_copies(copies_of(history), random, [](const Copy& a, const Copy& b) {
    return is_plain(a) && a.same_partition(b) && of_one_publisher_and_key(a, b) && b.is_first &&
           b.name.n > a.name.n;
  });
  if (!pair) return false;
  verify::StoredCopy row{.topic = history.topics[pair->first.topic].name,
                         .position = pair->first.position,
                         .record = record_of(history, pair->first),
                         .error = {}};
  std::erase_if(row.record.headers, [](const verify::RawHeader& header) {
    return header.name.starts_with("spillway-");
  });
  history.outbox.push_back(std::move(row));
  remove_message(history, pair->first);
  return true;
}

bool key_on_second_lane(History& history, Random& random) {
  const auto copies = copies_of(history);
  const auto pair = two_copies(copies, random, [&](const Copy& a, const Copy& b) {
    const auto instance =
        std::ranges::find(history.instances, a.position.instance, &verify::InstanceHistory::id);
    return is_plain(a) && is_plain(b) && a.topic == b.topic && a.key && a.key == b.key &&
           a.same_stream(b) && instance->lanes > 1 && instance->lane_changes == 0;
  });
  if (!pair) return false;
  verify::Position position = pair->second.position;
  position.lane = position.lane == 0 ? 1 : 0;
  position.seq = last_seq(history, position.instance, position.lane) + 1;
  set_position(record_of(history, pair->second), position);
  return true;
}

constexpr std::array table{
    Mutation{"M22", "neighbours of a key exchanged", Promise::publisher_order, neighbours_of_key},
    Mutation{"M23", "two of a key, far apart", Promise::publisher_order, far_apart},
    Mutation{"M24", "exchanged across a failover", Promise::stream_order, across_failover},
    Mutation{"M25", "exchanged across a return", Promise::stream_order, across_return},
    Mutation{"M26", "batch behind the first direct record", Promise::stream_order,
             batch_behind_direct},
    Mutation{"M27", "batch reversed", Promise::stream_order, batch_reversed},
    Mutation{"M28", "batch rotated", Promise::stream_order, batch_rotated},
    Mutation{"M29", "two seqs of a publisher exchanged", Promise::publisher_order,
             two_seqs_of_publisher},
    Mutation{"M30", "two causally ordered seqs exchanged", Promise::causal_order, two_causal_seqs},
    Mutation{"M31", "the same, 1 ns apart", Promise::causal_order, two_causal_seqs_1ns_apart},
    Mutation{"M32", "late append is the only copy", Promise::stream_order, late_append_alone},
    Mutation{"M33", "one record moved to the end", Promise::stream_order, one_to_the_end},
    Mutation{"M34", "one left pending, later ones delivered", Promise::publisher_order,
             one_left_pending},
    Mutation{"M79", "key on a second lane", Promise::publisher_order, key_on_second_lane},
};

}  // namespace

std::span<const Mutation> reorders() {
  return table;
}

}  // namespace spillway::history
