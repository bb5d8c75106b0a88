// tools/verify/audit_call_order.cpp: a number is given once, in the order in which calls were made.
//
// A record that was renumbered is judged by its first number. The calls of a stream are wanted by
// seq, and each publisher's records are kept by n. But when all is well the seqs of a publisher
// ascend in a stream, so its records are a sorted run, and the runs are merged; a record that is
// not in its place, a stray, is a finding, and one more run is made of these.

#include <algorithm>
#include <queue>
#include <tuple>
#include <utility>

#include "verify/audit.hpp"

namespace spillway::verify {

// The first record of a publisher, at `from` or behind it, that has a number.
std::optional<Audit::NumberedCall> Audit::next_numbered(std::uint32_t log,
                                                        std::uint64_t from) const {
  const PublisherLog& publisher = logs_[log];
  for (std::uint64_t n = from; n < publisher.end;) {
    const auto slot = publisher.records.find(n);
    if (slot && slot->word.has(placed)) {
      const StreamSeq at{.stream = slot->word.index(), .seq = slot->word.number()};
      return NumberedCall{.first = root_of(at), .at = at, .tag = {.log = log, .n = n}};
    }
    n = slot ? n + 1 : SlotTable::page_end(n);
  }
  return std::nullopt;
}

void Audit::judge_call_order() {
  std::vector<NumberedCall> strays;
  std::vector<std::vector<std::uint32_t>> logs_of(streams_.size());
  bool fits = true;
  for (std::uint32_t log = 0; log < logs_.size(); ++log) {
    if (!logs_[log].has_calls) continue;
    std::vector<std::uint64_t> last(streams_.size());
    for (auto call = next_numbered(log, 0); call; call = next_numbered(log, call->tag.n + 1)) {
      std::uint64_t& last_seq = last[call->first.stream];
      if (last_seq == 0) logs_of[call->first.stream].push_back(log);
      if (call->first.seq >= last_seq) {
        last_seq = call->first.seq;
        continue;
      }
      const StreamSeq before{.stream = call->first.stream, .seq = last_seq};
      found(
          Kind::renumbered_calls, {}, call->at,
          [&] {
            return text_of(call->tag) + " (" + whereabouts(call->at) + ") is numbered below " +
                   text_of(before) + ", which the same publisher published before it";
          },
          1, call->tag);
      fits = fits && result_.memory_bytes + strays.capacity() * sizeof(NumberedCall) <=
                         scope_.memory_bytes_max;
      if (fits) strays.push_back(*call);
    }
  }
  if (!fits) {
    result_.not_judged[index_of(Promise::causal_order)] =
        "what is out of its order does not fit beside the tables into " +
        std::to_string(scope_.memory_bytes_max >> 20U) + " MiB";
    return;
  }
  std::ranges::sort(strays, {}, &NumberedCall::first);
  for (std::size_t stream = 0; stream < streams_.size(); ++stream) {
    const auto index = static_cast<std::uint16_t>(stream);
    const auto own = std::ranges::equal_range(
        strays, index, {}, [](const NumberedCall& call) { return call.first.stream; });
    judge_cause_and_effect(index, logs_of[stream], own);
  }
}

// With m the latest begin among the numbers below, a call that returned before m ended before one
// with a lower number began.
void Audit::judge_cause_and_effect(std::uint16_t stream, std::span<const std::uint32_t> logs,
                                   std::span<const NumberedCall> strays) {
  const auto is_behind = [](const NumberedCall& a, const NumberedCall& b) {
    return std::tuple{a.first.seq, a.tag.log, a.tag.n} >
           std::tuple{b.first.seq, b.tag.log, b.tag.n};
  };
  // The next call of each run. Below the last of its own run lie only strays.
  std::priority_queue<NumberedCall, std::vector<NumberedCall>, decltype(is_behind)> next{is_behind};
  const auto push_next = [&](std::uint32_t log, std::uint64_t from, std::uint64_t seq_min) {
    auto call = next_numbered(log, from);
    while (call && (call->first.stream != stream || call->first.seq < seq_min))
      call = next_numbered(log, call->tag.n + 1);
    if (call) next.push(*call);
  };
  for (const std::uint32_t log : logs)
    push_next(log, 0, 1);

  std::uint64_t latest_begin = 0;
  std::uint64_t latest_seq = 0;
  while (!next.empty() || !strays.empty()) {
    const std::uint64_t seq = next.empty() ? strays.front().first.seq
                              : strays.empty()
                                  ? next.top().first.seq
                                  : std::min(strays.front().first.seq, next.top().first.seq);
    // Where two records have one number, both count.
    std::uint64_t begin = 0;  // the latest
    std::uint64_t end = 0;    // the earliest; 0: none returned
    const auto count = [&](TagRef tag) {
      if (tag.n >= logs_[tag.log].calls.size()) return;
      const Accept& call = logs_[tag.log].calls[tag.n];
      begin = std::max(begin, call.begin_ns);
      if (call.return_ns != 0) end = end == 0 ? call.return_ns : std::min(end, call.return_ns);
    };
    for (; !strays.empty() && strays.front().first.seq == seq; strays = strays.subspan(1))
      count(strays.front().tag);
    while (!next.empty() && next.top().first.seq == seq) {
      const TagRef tag = next.top().tag;
      next.pop();
      count(tag);
      push_next(tag.log, tag.n + 1, seq);
    }
    if (end != 0 && end < latest_begin) {
      const StreamSeq at{.stream = stream, .seq = seq};
      const StreamSeq before{.stream = stream, .seq = latest_seq};
      found(Kind::effect_before_cause, {}, at, [&] {
        return "its publish() had returned " + std::to_string(latest_begin - end) +
               " ns before that of " + text_of(before) + " began (" + whereabouts(at) + "; " +
               whereabouts(before) + ")";
      });
    }
    if (begin > latest_begin) {
      latest_begin = begin;
      latest_seq = seq;
    }
  }
}

}  // namespace spillway::verify
