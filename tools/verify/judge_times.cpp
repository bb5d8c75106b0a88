// tools/verify/judge_times.cpp: P13, P20: what may take how long.

#include <algorithm>
#include <cmath>

#include "verify/history_judges.hpp"

namespace spillway::verify {
namespace {

constexpr double drain_slack = 1.5;

void judge_call_times(const History& history, std::uint64_t call_ns_max, AuditResult& result) {
  for (const PublisherCalls& publisher : history.publishers) {
    for (std::size_t n = 0; n < publisher.calls.size(); ++n) {
      const Accept& call = publisher.calls[n];
      if (call.has(Answer::none) || call.return_ns - call.begin_ns <= call_ns_max) {
        continue;
      }
      note(result, Kind::slow_call, {},
           RecordName{.run = history.run, .publisher = publisher.publisher, .n = n},
           "publisher " + std::to_string(publisher.publisher) + " n " + std::to_string(n) +
               ": publish() took " + std::to_string(call.return_ns - call.begin_ns) + " ns of " +
               std::to_string(call_ns_max));
    }
  }
}

void judge_drains(const std::vector<DrainEvent>& drains, AuditResult& result) {
  for (const DrainEvent& drain : drains) {
    const double rate = drain.drained_per_second - drain.arriving_per_second;
    const double seconds = static_cast<double>(drain.emptied_ns - drain.healed_ns) / 1e9;
    const double at_most =
        rate <= 0 ? INFINITY : drain_slack * static_cast<double>(drain.backlog_rows) / rate;
    if (drain.emptied_ns <= drain.healed_ns || seconds <= at_most) continue;
    note(result, Kind::drained_late, {}, {},
         std::to_string(drain.backlog_rows) + " rows were gone after " + std::to_string(seconds) +
             " s, and might take " + std::to_string(at_most) + " s");
  }
}

}  // namespace

void judge_times(const History& history, AuditResult& result) {
  if (history.call_ns_max) {
    judge_call_times(history, *history.call_ns_max, result);
  } else {
    result.not_judged[index_of(Promise::never_waits)] = "no budget of publish() is given";
  }
  if (history.drains) {
    judge_drains(*history.drains, result);
  } else {
    result.not_judged[index_of(Promise::live_again)] = "no drain was timed";
  }
  result.not_judged[index_of(Promise::bounded_memory)] = "memory is measured by who runs it";
}

}  // namespace spillway::verify
