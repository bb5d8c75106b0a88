// tests/history/mutations_logs.cpp: M60 to M78: books that do not add up, steps at the wrong time.

#include <algorithm>
#include <array>

#include "history/copies.hpp"
#include "history/mutation.hpp"

namespace spillway::history {
namespace {

using verify::History;
using verify::LaneChange;
using verify::LaneState;
using verify::Outcome;
using verify::Promise;

/// One of `list` that `wanted` accepts; null: none is.
template <class Event, class Wanted>
Event* one_event(std::vector<Event>& list, Random& random, const Wanted& wanted) {
  std::vector<Event*> sites;
  for (Event& event : list) {
    if (wanted(event)) sites.push_back(&event);
  }
  return sites.empty() ? nullptr : random.one_of(sites);
}
constexpr auto any = [](const auto&) { return true; };

// ---- Ledger

bool delivered_but_a_row(History& history, Random& random) {
  std::set<verify::RecordName> waiting;
  for (const verify::StoredCopy& row : history.outbox) {
    const verify::Tag tag = read(row.record).payload().tag;
    waiting.insert({.run = tag.run, .publisher = tag.publisher, .n = tag.n});
  }
  for (const Copy& copy : copies_of(history))
    waiting.erase(copy.name);
  verify::OutcomeReport* const report = one_event(
      *history.outcomes, random, [&](const auto& r) { return waiting.contains(r.record); });
  if (report == nullptr) return false;
  report->outcome = Outcome::delivered;
  return true;
}

bool spilled_but_nowhere(History& history, Random& random) {
  std::set<verify::RecordName> kept;
  for (const auto* list : {&history.outbox, &history.dead_letters}) {
    for (const verify::StoredCopy& one : *list) {
      const verify::Tag tag = read(one.record).payload().tag;
      kept.insert({.run = tag.run, .publisher = tag.publisher, .n = tag.n});
    }
  }
  const verify::OutcomeReport* const report =
      one_event(*history.outcomes, random, [&](const verify::OutcomeReport& r) {
        return r.outcome == Outcome::spilled && !kept.contains(r.record);
      });
  if (report == nullptr) return false;
  remove_messages(history, {report->record});
  return true;
}

template <std::uint64_t verify::Counters::*counter>
bool off_by_one(History& history, Random& random) {
  std::uint64_t& value =
      (*history.instances[random.below(history.instances.size())].counters).*counter;
  value += value > 0 && random.chance(50) ? ~std::uint64_t{0} : 1;
  return true;
}

bool in_flight_after_clean_close(History& history, Random& random) {
  verify::InstanceHistory& instance = history.instances[random.below(history.instances.size())];
  verify::Life* const life = one_event(
      instance.lives, random, [](const verify::Life& l) { return l.closed_ok.value_or(false); });
  if (life == nullptr) return false;
  ++life->in_flight_at_close;
  return true;
}

bool give_error(History& history, Random& random, std::string_view error) {
  verify::StoredCopy* const letter = one_event(history.dead_letters, random, any);
  if (letter == nullptr) return false;
  letter->error = error;
  return true;
}

bool without_reason(History& history, Random& random) {
  return give_error(history, random, "");
}

bool with_transport_error(History& history, Random& random) {
  constexpr std::array errors{"_MSG_TIMED_OUT: Local: Message timed out",
                              "_TRANSPORT: Local: Broker transport failure",
                              "NOT_ENOUGH_REPLICAS: Broker: Not enough in-sync replicas"};
  return give_error(history, random, errors.at(random.below(errors.size())));
}

// ---- Time

bool leases_overlap(History& history, Random& random) {
  auto& leases = history.outbox_log->leases;
  verify::LeaseEvent* const later = one_event(leases, random, [&](const verify::LeaseEvent& lease) {
    return std::ranges::any_of(leases, [&](const verify::LeaseEvent& before) {
      return before.instance == lease.instance && before.lane == lease.lane &&
             before.until_ns <= lease.from_ns && &before != &lease;
    });
  });
  if (later == nullptr) return false;
  std::uint64_t end_ns = 0;
  for (const verify::LeaseEvent& before : leases) {
    if (before.instance == later->instance && before.lane == later->lane &&
        before.until_ns <= later->from_ns) {
      end_ns = std::max(end_ns, before.until_ns);
    }
  }
  later->from_ns = end_ns - 1;
  return true;
}

bool read_after_lease(History& history, Random& random) {
  verify::ReadEvent* const read = one_event(history.outbox_log->reads, random, any);
  if (read == nullptr) return false;
  for (const verify::LeaseEvent& lease : history.outbox_log->leases) {
    if (lease.instance == read->rows.instance && lease.lane == read->rows.lane) {
      read->at_ns = std::max(read->at_ns, lease.until_ns + 1);
    }
  }
  return true;
}

bool delete_before_ack(History& history, Random& random) {
  verify::DeleteEvent* const deleted = one_event(history.outbox_log->deletes, random, any);
  if (deleted == nullptr) return false;
  std::uint64_t acked_ns = 0;
  for (const verify::AckEvent& ack : history.outbox_log->acks) {
    if (ack.position.instance == deleted->rows.instance &&
        ack.position.lane == deleted->rows.lane && deleted->rows.first <= ack.position.seq &&
        ack.position.seq <= deleted->rows.last) {
      acked_ns = std::max(acked_ns, ack.at_ns);
    }
  }
  deleted->at_ns = acked_ns - 1;
  return true;
}

bool delete_outside_prefix(History& history, Random& random) {
  auto& deletes = history.outbox_log->deletes;
  const auto is_next = [](const verify::DeleteEvent& a, const verify::DeleteEvent& b) {
    return a.rows.instance == b.rows.instance && a.rows.lane == b.rows.lane &&
           a.rows.last + 1 == b.rows.first;
  };
  verify::DeleteEvent* const first = one_event(deletes, random, [&](const verify::DeleteEvent& d) {
    return std::ranges::any_of(
        deletes, [&](const auto& next) { return is_next(d, next) && next.at_ns > d.at_ns; });
  });
  if (first == nullptr) return false;
  first->at_ns =
      std::ranges::find_if(deletes, [&](const auto& d) { return is_next(*first, d); })->at_ns + 1;
  return true;
}

bool token_before_commit(History& history, Random& random) {
  verify::TokenEvent* const token = one_event(history.outbox_log->tokens, random, any);
  if (token == nullptr) return false;
  token->at_ns = history.outbox_log->commits[token->commit].at_ns - 1;
  return true;
}

bool direct_while_rows_remain(History& history, Random& random) {
  auto& deletes = history.outbox_log->deletes;
  const auto is_before = [](const verify::DeleteEvent& d, const LaneChange& change) {
    return d.rows.instance == change.instance && d.rows.lane == change.lane &&
           d.at_ns <= change.at_ns;
  };
  const LaneChange* const change =
      one_event(*history.lane_changes, random, [&](const LaneChange& c) {
        return c.from == LaneState::returning && c.to == LaneState::direct &&
               std::ranges::any_of(deletes, [&](const auto& d) { return is_before(d, c); });
      });
  if (change == nullptr) return false;
  verify::DeleteEvent* last = nullptr;
  for (verify::DeleteEvent& deleted : deletes) {
    if (is_before(deleted, *change) && (last == nullptr || last->at_ns < deleted.at_ns)) {
      last = &deleted;
    }
  }
  if (last == nullptr) return false;
  last->at_ns = change->at_ns + 1;
  return true;
}

bool state_skipped(History& history, Random& random) {
  auto& changes = *history.lane_changes;
  std::vector<std::size_t> sites;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (!changes[i].from) continue;
    const auto next = std::find_if(changes.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                   changes.end(), [&](const LaneChange& later) {
                                     return later.instance == changes[i].instance &&
                                            later.lane == changes[i].lane;
                                   });
    if (next != changes.end() && next->from) sites.push_back(i);
  }
  if (sites.empty()) return false;
  changes.erase(changes.begin() + static_cast<std::ptrdiff_t>(random.one_of(sites)));
  return true;
}

bool spill_without_fault(History& history, Random& random) {
  const LaneChange* const change =
      one_event(*history.lane_changes, random, [](const LaneChange& c) {
        return c.from == LaneState::direct && c.to == LaneState::spilling;
      });
  if (change == nullptr) return false;
  std::erase_if(*history.faults, [&](const verify::FaultEvent& fault) {
    return fault.from_ns <= change->at_ns &&
           change->at_ns <= fault.until_ns + history.trip_within_ns;
  });
  return true;
}

bool call_over_budget(History& history, Random& random) {
  verify::PublisherCalls& publisher = history.publishers[random.below(history.publishers.size())];
  if (publisher.calls.empty() || publisher.calls.back().has(verify::Answer::none)) return false;
  publisher.calls.back().return_ns = publisher.calls.back().begin_ns + *history.call_ns_max + 1;
  return true;
}

bool drained_late(History& history, Random& random) {
  verify::DrainEvent* const drain = one_event(*history.drains, random, any);
  if (drain == nullptr) return false;
  drain->emptied_ns += (drain->emptied_ns - drain->healed_ns) / 2 + 10;
  return true;
}

constexpr std::array table{
    Mutation{"M60", "delivered, but only a row", Promise::true_outcomes, delivered_but_a_row},
    Mutation{"M61", "spilled, but nowhere", Promise::true_outcomes, spilled_but_nowhere},
    Mutation{"M62", "accepted off by one", Promise::conservation,
             off_by_one<&verify::Counters::accepted>},
    Mutation{"M63", "delivered off by one", Promise::conservation,
             off_by_one<&verify::Counters::delivered>},
    Mutation{"M64", "spilled off by one", Promise::conservation,
             off_by_one<&verify::Counters::spilled>},
    Mutation{"M65", "dead_lettered off by one", Promise::conservation,
             off_by_one<&verify::Counters::dead_lettered>},
    Mutation{"M66", "in flight after a clean close", Promise::honest_close,
             in_flight_after_clean_close},
    Mutation{"M67", "dead letter without a reason", Promise::dead_letters_kept, without_reason},
    Mutation{"M68", "dead letter with a transport error", Promise::dead_letters_kept,
             with_transport_error},
    Mutation{"M69", "leases overlap", Promise::one_relay, leases_overlap},
    Mutation{"M70", "row read after the lease ended", Promise::one_relay, read_after_lease},
    Mutation{"M71", "delete before the ack", Promise::deletes_acked_prefix, delete_before_ack},
    Mutation{"M72", "delete outside the prefix", Promise::deletes_acked_prefix,
             delete_outside_prefix},
    Mutation{"M73", "token before the commit", Promise::wakeup_after_commit, token_before_commit},
    Mutation{"M74", "direct while rows remain", Promise::release_and_return,
             direct_while_rows_remain},
    Mutation{"M75", "state skipped", Promise::release_and_return, state_skipped},
    Mutation{"M76", "spill without a fault", Promise::no_needless_spill, spill_without_fault},
    Mutation{"M77", "call over its budget", Promise::never_waits, call_over_budget},
    Mutation{"M78", "drained late", Promise::live_again, drained_late},
};

}  // namespace

// The first nine are of the ledger, the others of time.
std::span<const Mutation> ledgers() {
  return std::span{table}.first(9);
}
std::span<const Mutation> timings() {
  return std::span{table}.subspan(9);
}

}  // namespace spillway::history
