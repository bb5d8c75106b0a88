// tools/verify/judge_lanes.cpp: P15, P19: how lanes leave Kafka and come back.

#include <algorithm>

#include "verify/history_judges.hpp"
#include "verify/row_lives.hpp"

namespace spillway::verify {
namespace {

bool is_allowed(LaneState from, LaneState to) noexcept {
  using enum LaneState;
  switch (from) {
    case direct:
      return to == spilling || to == recalling;
    case spilling:
      return to == returning || to == direct || to == recalling;
    case returning:
      return to == direct || to == spilling;
    case recalling:
      return to == spilling;
  }
  return false;
}

Position lane_of(const LaneChange& change) {
  return {.instance = change.instance, .lane = change.lane, .seq = 1};
}

// "direct -> spilling at 2 ms".
std::string text_of(const LaneChange& change) {
  std::string text{change.from ? name_of(*change.from) : std::string_view{"opened"}};
  text += " -> ";
  text += name_of(change.to);
  return text + " at " + std::to_string(change.at_ns) + " ns";
}

void judge_chain(const std::vector<LaneChange>& changes, AuditResult& result) {
  std::map<std::pair<std::uint64_t, std::uint16_t>, LaneState> states;
  for (const LaneChange& change : changes) {
    const auto [state, is_new] = states.try_emplace({change.instance, change.lane}, change.to);
    const LaneState before = state->second;
    state->second = change.to;
    if (!change.from) continue;
    if (is_new) {
      note(result, Kind::wrong_state, lane_of(change), {},
           text_of(change) + ", and the lane was never opened");
    } else if (before != *change.from) {
      note(result, Kind::wrong_state, lane_of(change), {},
           text_of(change) + ", and the lane was " + std::string{name_of(before)});
    } else if (!is_allowed(*change.from, change.to)) {
      note(result, Kind::wrong_state, lane_of(change), {}, text_of(change));
    }
  }
}

void judge_returns(const std::vector<LaneChange>& changes, const RowLives& rows,
                   AuditResult& result) {
  for (const LaneChange& change : changes) {
    if (change.to != LaneState::direct) continue;
    for (const RowLife& row : rows.of(change.instance, change.lane)) {
      if (row.committed_ns > change.at_ns || row.deleted_ns <= change.at_ns) continue;
      note(result, Kind::returned_early,
           Position{.instance = change.instance, .lane = change.lane, .seq = row.seq}, {},
           text_of(change) + ", and this row was left");
      break;
    }
  }
}

bool is_alive(const History& history, std::uint64_t instance, std::uint64_t at_ns) {
  const auto found = std::ranges::find(history.instances, instance, &InstanceHistory::id);
  return found != history.instances.end() &&
         std::ranges::any_of(found->lives, [&](const Life& life) {
           return life.opened_ns <= at_ns && at_ns < life.ended_ns;
         });
}

void judge_held(const History& history, const OutboxLog& log, AuditResult& result) {
  for (const CommitEvent& commit : log.commits) {
    if (!commit.held) continue;
    std::uint64_t released_ns = RowLife::never;
    for (const ReleaseEvent& release : log.releases) {
      if (release.instance == commit.rows.instance && release.lane == commit.rows.lane &&
          release.at_ns >= commit.at_ns) {
        released_ns = std::min(released_ns, release.at_ns);
      }
    }
    for (const ReadEvent& read : log.reads) {
      if (read.rows.instance != commit.rows.instance || read.rows.lane != commit.rows.lane ||
          read.at_ns < commit.at_ns || read.at_ns >= released_ns ||
          !is_alive(history, read.rows.instance, read.at_ns)) {
        continue;
      }
      note(result, Kind::held_row_read, first_of(read.rows), {},
           "relay " + std::to_string(read.relay) + " read it while " +
               verify::text_of(first_of(commit.rows)) + " was held by its owner");
    }
  }
}

void judge_reasons(const std::vector<LaneChange>& changes, const std::vector<FaultEvent>& faults,
                   std::uint64_t trip_within_ns, AuditResult& result) {
  for (const LaneChange& change : changes) {
    if (change.from != LaneState::direct || change.to != LaneState::spilling) continue;
    const bool has_reason = std::ranges::any_of(faults, [&](const FaultEvent& fault) {
      return fault.from_ns <= change.at_ns && change.at_ns <= fault.until_ns + trip_within_ns;
    });
    if (has_reason) continue;
    note(result, Kind::needless_spill, lane_of(change), {}, text_of(change) + ", without a fault");
  }
}

}  // namespace

void judge_lanes(const History& history, AuditResult& result) {
  if (history.lane_changes) judge_chain(*history.lane_changes, result);
  if (history.outbox_log) judge_held(history, *history.outbox_log, result);
  if (history.lane_changes && history.outbox_log) {
    judge_returns(*history.lane_changes, RowLives{*history.outbox_log}, result);
  } else {
    result.not_judged[index_of(Promise::release_and_return)] =
        "the lanes' states and the outbox's log are not both given";
  }
  if (history.lane_changes && history.faults) {
    judge_reasons(*history.lane_changes, *history.faults, history.trip_within_ns, result);
  } else {
    result.not_judged[index_of(Promise::no_needless_spill)] =
        "the lanes' states and the faults are not both given";
  }
}

}  // namespace spillway::verify
