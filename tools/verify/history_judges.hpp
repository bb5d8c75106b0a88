// tools/verify/history_judges.hpp: what the logs of a run are judged for; each adds to the result.

#pragma once

#include <optional>
#include <string>

#include "verify/history.hpp"

namespace spillway::verify {

/// P10, P11, P16, P21: counters, outcomes, dead letters, close().
void judge_ledger(const History& history, AuditResult& result);
/// P14, P17, P18: tokens, leases, reads, deletes.
void judge_outbox_log(const History& history, AuditResult& result);
/// P15, P19: changes of state, and whether there was a reason to leave Kafka.
void judge_lanes(const History& history, AuditResult& result);
/// P13, P20: the longest call, the longest drain.
void judge_times(const History& history, AuditResult& result);
/// To each first offender: what the logs say of it.
void tell_timelines(const History& history, AuditResult& result);

/// Counts a finding that lies at no place in a topic. The story is kept for the first.
void note(AuditResult& result, Kind kind, std::optional<Position> position,
          std::optional<RecordName> record, const std::string& story);

}  // namespace spillway::verify
