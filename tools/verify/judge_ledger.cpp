// tools/verify/judge_ledger.cpp: P10, P11, P16, P21: do the books say what the records say?

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "verify/history_judges.hpp"

namespace spillway::verify {
namespace {

// Errors that say nothing of the record: a retry heals them. librdkafka's names.
constexpr std::array passing_errors{
    std::string_view{"_TRANSPORT"},
    std::string_view{"_ALL_BROKERS_DOWN"},
    std::string_view{"_MSG_TIMED_OUT"},
    std::string_view{"_TIMED_OUT"},
    std::string_view{"_TIMED_OUT_QUEUE"},
    std::string_view{"_RESOLVE"},
    std::string_view{"_WAIT_COORD"},
    std::string_view{"_QUEUE_FULL"},
    std::string_view{"_PURGE_QUEUE"},
    std::string_view{"_PURGE_INFLIGHT"},
    std::string_view{"_FATAL"},
    std::string_view{"REQUEST_TIMED_OUT"},
    std::string_view{"NOT_LEADER_FOR_PARTITION"},
    std::string_view{"LEADER_NOT_AVAILABLE"},
    std::string_view{"BROKER_NOT_AVAILABLE"},
    std::string_view{"NETWORK_EXCEPTION"},
    std::string_view{"NOT_ENOUGH_REPLICAS"},
    std::string_view{"NOT_ENOUGH_REPLICAS_AFTER_APPEND"},
    std::string_view{"KAFKA_STORAGE_ERROR"},
};

// "NAME: what it means".
bool is_passing(std::string_view error) {
  return std::ranges::find(passing_errors, error.substr(0, error.find(':'))) !=
         passing_errors.end();
}

std::optional<RecordName> name_in(const RawRecord& record) {
  const RecordReader reader = read(record);
  if (reader.payload().kind != PayloadKind::tagged) return std::nullopt;
  const Tag& tag = reader.payload().tag;
  return RecordName{.run = tag.run, .publisher = tag.publisher, .n = tag.n};
}

std::string text_of(const RecordName& name) {
  return "publisher " + std::to_string(name.publisher) + " n " + std::to_string(name.n);
}

struct Whereabouts {
  bool in_kafka = false;
  bool in_outbox = false;
  bool is_dead = false;
};
using Places = std::map<RecordName, Whereabouts>;

Places places_of(const History& history) {
  Places places;
  for (const TopicLog& topic : history.topics) {
    for (const PartitionLog& log : topic.logs) {
      for (const LoggedMessage& message : log.messages) {
        if (const auto name = name_in(message.record)) places[*name].in_kafka = true;
      }
    }
  }
  for (const StoredCopy& row : history.outbox) {
    if (const auto name = name_in(row.record)) places[*name].in_outbox = true;
  }
  for (const StoredCopy& dead : history.dead_letters) {
    if (const auto name = name_in(dead.record)) places[*name].is_dead = true;
  }
  return places;
}

void judge_outcomes(const std::vector<OutcomeReport>& outcomes, const Places& places,
                    AuditResult& result) {
  for (const OutcomeReport& report : outcomes) {
    const auto found = places.find(report.record);
    const Whereabouts where = found == places.end() ? Whereabouts{} : found->second;
    switch (report.outcome) {
      case Outcome::delivered:
        if (where.in_kafka) continue;
        note(result, Kind::untrue_outcome, {}, report.record,
             text_of(report.record) + " was reported delivered, and is not in Kafka");
        continue;
      case Outcome::spilled:
        if (where.in_kafka || where.in_outbox || where.is_dead) continue;
        note(result, Kind::untrue_outcome, {}, report.record,
             text_of(report.record) + " was reported spilled, and is nowhere");
        continue;
      case Outcome::dead_lettered:
        if (where.is_dead) continue;
        note(result, Kind::untrue_outcome, {}, report.record,
             text_of(report.record) + " was reported dead-lettered, and is no dead letter");
        continue;
    }
  }
}

// What the records say that an instance's counters should say.
struct Recount {
  std::uint64_t accepted_min = 0;
  std::uint64_t accepted_max = 0;
  std::uint64_t delivered = 0;
  std::uint64_t spilled = 0;
  std::uint64_t dead_lettered = 0;
};

std::map<std::uint64_t, Recount> recount(const History& history) {
  std::map<std::uint64_t, Recount> counts;
  std::map<std::uint32_t, std::uint64_t> instance_of;
  for (const PublisherCalls& publisher : history.publishers) {
    instance_of[publisher.publisher] = publisher.instance;
    Recount& count = counts[publisher.instance];
    for (const Accept& call : publisher.calls) {
      count.accepted_min += call.has(Answer::accepted) ? 1U : 0U;
      count.accepted_max += call.has(Answer::rejected) ? 0U : 1U;
    }
  }
  for (const OutcomeReport& report : history.outcomes.value_or(std::vector<OutcomeReport>{})) {
    const auto instance = instance_of.find(report.record.publisher);
    if (instance == instance_of.end()) continue;
    Recount& count = counts[instance->second];
    switch (report.outcome) {
      case Outcome::delivered:
        ++count.delivered;
        continue;
      case Outcome::spilled:
        ++count.spilled;
        continue;
      case Outcome::dead_lettered:
        ++count.dead_lettered;
        continue;
    }
  }
  return counts;
}

std::uint64_t count_of(const std::vector<StoredCopy>& copies, std::uint64_t instance,
                       bool with_held) {
  return static_cast<std::uint64_t>(std::ranges::count_if(copies, [&](const StoredCopy& copy) {
    return copy.position.instance == instance && (with_held || !copy.held);
  }));
}

void judge_counters(const History& history, AuditResult& result) {
  auto counts = recount(history);
  for (const InstanceHistory& instance : history.instances) {
    if (!instance.counters) continue;
    const Counters& says = *instance.counters;
    const auto expect = [&](std::string_view what, std::uint64_t said, std::uint64_t least,
                            std::uint64_t most) {
      if (least <= said && said <= most) return;
      note(result, Kind::miscounted, {}, {},
           "instance " + verify::text_of(Position{.instance = instance.id}).substr(0, 16) + ": " +
               std::string{what} + " says " + std::to_string(said) + ", the records " +
               std::to_string(least) + (least == most ? "" : " to " + std::to_string(most)));
    };
    const auto exactly = [&](std::string_view what, std::uint64_t said, std::uint64_t records) {
      expect(what, said, records, records);
    };
    const Recount& count = counts[instance.id];
    expect("accepted", says.accepted, count.accepted_min, count.accepted_max);
    exactly("accepted", says.accepted,
            says.delivered + says.spilled + says.dead_lettered + says.in_flight);
    exactly("spilled", says.spilled, says.relayed + says.depth + says.relay_dead_lettered);
    exactly("depth", says.depth, count_of(history.outbox, instance.id, false));
    exactly("in_flight", says.in_flight, count_of(history.journals, instance.id, true));
    exactly("dead_lettered, by lanes and relays", says.dead_lettered + says.relay_dead_lettered,
            count_of(history.dead_letters, instance.id, true));
    if (!history.outcomes) continue;
    exactly("delivered", says.delivered, count.delivered);
    exactly("spilled", says.spilled, count.spilled);
    exactly("dead_lettered", says.dead_lettered, count.dead_lettered);
  }
}

void judge_dead_letters(const History& history, AuditResult& result) {
  for (const StoredCopy& dead : history.dead_letters) {
    if (!dead.error.empty() && !is_passing(dead.error)) continue;
    note(
        result, Kind::baseless_dead_letter, dead.position, name_in(dead.record),
        dead.error.empty() ? "no error is kept with it" : "a retry heals its error: " + dead.error);
  }
}

// The last life's rest is still in the journal, whoever ended it.
void judge_closes(const History& history, AuditResult& result) {
  for (const InstanceHistory& instance : history.instances) {
    const std::string name = verify::text_of(Position{.instance = instance.id}).substr(0, 16);
    for (const Life& life : instance.lives) {
      if (!life.closed_ok) continue;
      if (*life.closed_ok && life.in_flight_at_close != 0) {
        note(result, Kind::dishonest_close, {}, {},
             "instance " + name + ": close() said that all is settled, with " +
                 std::to_string(life.in_flight_at_close) + " in flight");
      }
      if (&life != &instance.lives.back()) continue;
      const std::uint64_t left = count_of(history.journals, instance.id, true);
      if (left == life.in_flight_at_close) continue;
      note(result, Kind::dishonest_close, {}, {},
           "instance " + name + ": close() said that " + std::to_string(life.in_flight_at_close) +
               " are in flight, and the journal holds " + std::to_string(left));
    }
  }
}

}  // namespace

void judge_ledger(const History& history, AuditResult& result) {
  const auto skip = [&](Promise promise, std::string why) {
    result.not_judged[index_of(promise)] = std::move(why);
  };
  judge_counters(history, result);
  if (std::ranges::none_of(history.instances,
                           [](const InstanceHistory& i) { return i.counters.has_value(); })) {
    skip(Promise::conservation, "no counters are given");
  }
  if (history.outcomes) {
    judge_outcomes(*history.outcomes, places_of(history), result);
  } else {
    skip(Promise::true_outcomes, "no outcomes are given");
  }
  judge_dead_letters(history, result);
  judge_closes(history, result);
  if (std::ranges::none_of(history.instances, [](const InstanceHistory& instance) {
        return std::ranges::any_of(instance.lives,
                                   [](const Life& life) { return life.closed_ok.has_value(); });
      })) {
    skip(Promise::honest_close, "no process was closed");
  }
}

}  // namespace spillway::verify
