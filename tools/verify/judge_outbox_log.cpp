// tools/verify/judge_outbox_log.cpp: P14, P17, P18: who may read a row, and who may remove it.

#include <algorithm>

#include "verify/history_judges.hpp"
#include "verify/row_lives.hpp"

namespace spillway::verify {
namespace {

void judge_tokens(const OutboxLog& log, AuditResult& result) {
  for (const TokenEvent& token : log.tokens) {
    if (token.commit >= log.commits.size()) {
      note(result, Kind::early_token, {}, {}, "a token tells of a commit that there was not");
      continue;
    }
    const CommitEvent& commit = log.commits[token.commit];
    if (commit.at_ns <= token.at_ns) continue;
    note(result, Kind::early_token, first_of(commit.rows), {},
         "its token was pushed " + std::to_string(commit.at_ns - token.at_ns) +
             " ns before the commit had returned");
  }
}

std::vector<LeaseEvent> by_stream_and_time(std::vector<LeaseEvent> leases) {
  std::ranges::sort(leases, {}, [](const LeaseEvent& lease) {
    return std::tuple{lease.instance, lease.lane, lease.from_ns};
  });
  return leases;
}

Position stream_of(const LeaseEvent& lease) {
  return {.instance = lease.instance, .lane = lease.lane, .seq = 1};
}

void judge_leases(const std::vector<LeaseEvent>& sorted, AuditResult& result) {
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    const LeaseEvent& before = sorted[i - 1];
    const LeaseEvent& after = sorted[i];
    if (stream_of(before) != stream_of(after) || before.until_ns <= after.from_ns) continue;
    note(result, Kind::lease_shared, stream_of(after), {},
         "relay " + std::to_string(after.relay) + " got the lease " +
             std::to_string(before.until_ns - after.from_ns) + " ns before relay " +
             std::to_string(before.relay) + " had lost it");
  }
}

void judge_reads(const OutboxLog& log, const std::vector<LeaseEvent>& sorted, AuditResult& result) {
  for (const ReadEvent& read : log.reads) {
    // The last lease of its stream that began at or before the read; leases of a stream are apart.
    const auto after =
        std::ranges::upper_bound(sorted, std::tuple{read.rows.instance, read.rows.lane, read.at_ns},
                                 {}, [](const LeaseEvent& lease) {
                                   return std::tuple{lease.instance, lease.lane, lease.from_ns};
                                 });
    const bool holds = std::any_of(sorted.begin(), after, [&](const LeaseEvent& lease) {
      return lease.relay == read.relay && lease.instance == read.rows.instance &&
             lease.lane == read.rows.lane && read.at_ns <= lease.until_ns;
    });
    if (holds) continue;
    note(result, Kind::read_without_lease, first_of(read.rows), {},
         "relay " + std::to_string(read.relay) + " read it without the lease of its stream");
  }
}

void judge_deletes(const OutboxLog& log, const RowLives& rows, AuditResult& result) {
  for (const DeleteEvent& deleted : log.deletes) {
    const auto stream = rows.of(deleted.rows.instance, deleted.rows.lane);
    std::uint64_t prefix_deleted_ns = 0;
    for (const RowLife& row : stream) {
      if (row.seq > deleted.rows.last) break;
      const Position position{
          .instance = deleted.rows.instance, .lane = deleted.rows.lane, .seq = row.seq};
      if (row.seq < deleted.rows.first) {
        if (row.committed_ns <= deleted.at_ns) {
          prefix_deleted_ns = std::max(prefix_deleted_ns, row.deleted_ns);
        }
        continue;
      }
      if (row.answered_ns > deleted.at_ns) {
        note(result, Kind::deleted_unacked, position, {},
             row.answered_ns == RowLife::never
                 ? std::string{"deleted, and Kafka never answered for it"}
                 : "deleted " + std::to_string(row.answered_ns - deleted.at_ns) +
                       " ns before Kafka answered for it");
      }
    }
    if (prefix_deleted_ns <= deleted.at_ns) continue;
    note(result, Kind::deleted_unacked, first_of(deleted.rows), {},
         "deleted while rows before it were left");
  }
}

}  // namespace

void judge_outbox_log(const History& history, AuditResult& result) {
  if (!history.outbox_log) {
    for (const Promise promise :
         {Promise::wakeup_after_commit, Promise::one_relay, Promise::deletes_acked_prefix}) {
      result.not_judged[index_of(promise)] = "no log of the outbox is given";
    }
    return;
  }
  const OutboxLog& log = *history.outbox_log;
  judge_tokens(log, result);
  const std::vector<LeaseEvent> leases = by_stream_and_time(log.leases);
  judge_leases(leases, result);
  judge_reads(log, leases, result);
  judge_deletes(log, RowLives{log}, result);
}

}  // namespace spillway::verify
