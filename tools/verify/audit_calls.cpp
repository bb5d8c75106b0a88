// tools/verify/audit_calls.cpp: what is judged with accept logs: contents, presence, order of
// calls.

#include <algorithm>
#include <limits>

#include "verify/audit.hpp"

namespace spillway::verify {

// Is it what its publisher handed over, and did that hear "accepted", or nothing?
void Audit::judge_tag(std::optional<TagRef> tag, std::optional<StreamSeq> at, std::uint16_t topic,
                      std::optional<Place> place, const RecordReader& record) {
  if (!tag) return;
  const PublisherLog& log = logs_[tag->log];
  if (!log.has_calls) {
    if (!logged_runs_.contains(log.run)) return;
    found(
        Kind::never_accepted, place, at,
        [&] { return text_of(*tag) + ", and there is no such publisher"; }, 1, tag);
    return;
  }
  if (tag->n >= log.calls.size() || log.calls[tag->n].has(Answer::rejected)) {
    found(
        Kind::never_accepted, place, at,
        [&] {
          return text_of(*tag) +
                 (tag->n < log.calls.size() ? ", which was rejected" : ", which nobody published");
        },
        1, tag);
    return;
  }
  if (log.calls[tag->n].content == content_of(name_of_topic(topic), record)) return;
  found(
      Kind::altered, place, at,
      [&] { return text_of(*tag) + ", and topic, key, payload or headers are not as published"; },
      1, tag);
}

// Every accepted call has its record somewhere.
void Audit::judge_calls(std::size_t log) {
  const PublisherLog& publisher = logs_[log];
  std::uint64_t lost_from = 0;
  std::uint64_t lost = 0;
  for (std::uint64_t n = 0; n < publisher.calls.size(); ++n) {
    const Accept& call = publisher.calls[n];
    ++calls_;
    if (call.has(Answer::accepted)) ++*result_.accepted;
    if (call.has(Answer::none)) ++calls_unanswered_;
    const auto slot = publisher.records.find(n);
    const bool is_there = slot && is_somewhere(slot->word);
    if (is_there && call.has(Answer::none)) ++result_.unknown;
    if (is_there || !call.has(Answer::accepted)) continue;
    if (lost++ == 0) lost_from = n;
  }
  if (lost != 0) report_lost(log, lost_from, lost);
}

// A number is given once, in the order in which the calls were made; a record that was renumbered
// is judged by its first one.
void Audit::judge_call_order() {
  std::vector<PagedArray<Call>> calls(streams_.size());
  bool fits = true;
  for (std::size_t log = 0; log < logs_.size(); ++log) {
    const PublisherLog& publisher = logs_[log];
    std::vector<std::uint64_t> last(streams_.size());
    for (std::uint64_t n = 0; publisher.has_calls && n < publisher.end; ++n) {
      const auto slot = publisher.records.find(n);
      if (!slot || !slot->word.has(placed)) continue;
      const StreamSeq at{.stream = slot->word.index(), .seq = slot->word.number()};
      const StreamSeq root = root_of(at);
      if (root.seq < last[root.stream]) {
        const TagRef tag{.log = static_cast<std::uint32_t>(log), .n = n};
        const StreamSeq before{.stream = root.stream, .seq = last[root.stream]};
        found(
            Kind::renumbered_calls, {}, at,
            [&] {
              return text_of(tag) + " (" + whereabouts(at) + ") is numbered below " +
                     text_of(before) + ", which the same publisher published before it";
            },
            1, tag);
      }
      last[root.stream] = std::max(last[root.stream], root.seq);
      if (fits && n < publisher.calls.size()) {
        // Where two records have one number, both count.
        const Accept& made = publisher.calls[n];
        Call& call = calls[root.stream].at(root.seq);
        call.begin_ns = std::max(call.begin_ns, made.begin_ns);
        if (made.return_ns != 0) {
          call.return_ns =
              call.return_ns == 0 ? made.return_ns : std::min(call.return_ns, made.return_ns);
        }
      }
    }
    call_bytes_ = 0;
    for (const auto& table : calls)
      call_bytes_ += table.bytes();
    const std::size_t before = result_.memory_bytes;
    fits = fits && before + call_bytes_ <= scope_.memory_bytes_max;
  }
  if (!fits) {
    result_.not_judged[index_of(Promise::causal_order)] =
        "its table does not fit beside the others into " +
        std::to_string(scope_.memory_bytes_max >> 20U) + " MiB";
    return;
  }
  watch_memory();
  for (std::size_t stream = 0; stream < streams_.size(); ++stream) {
    judge_cause_and_effect(static_cast<std::uint16_t>(stream), calls[stream]);
  }
}

// With m the latest begin among the numbers below, a call that returned before m ended before one
// with a lower number began.
void Audit::judge_cause_and_effect(std::uint16_t stream, const PagedArray<Call>& calls) {
  std::uint64_t latest_begin = 0;
  std::uint64_t latest_seq = 0;
  for (std::uint64_t seq = 1; seq <= streams_[stream].last; ++seq) {
    const Call* const call = calls.find(seq);
    if (call == nullptr) {
      seq = PagedArray<Call>::page_end(seq) - 1;
      continue;
    }
    if (call->return_ns != 0 && call->return_ns < latest_begin) {
      const StreamSeq at{.stream = stream, .seq = seq};
      const StreamSeq before{.stream = stream, .seq = latest_seq};
      found(Kind::effect_before_cause, {}, at, [&] {
        return "its publish() had returned " + std::to_string(latest_begin - call->return_ns) +
               " ns before that of " + text_of(before) + " began (" + whereabouts(at) + "; " +
               whereabouts(before) + ")";
      });
    }
    if (call->begin_ns > latest_begin) {
      latest_begin = call->begin_ns;
      latest_seq = seq;
    }
  }
}

void Audit::note_what_is_not_judged() {
  const auto skip = [&](Promise promise, std::string why) {
    std::string& reason = result_.not_judged[index_of(promise)];
    if (reason.empty()) reason = std::move(why);
  };
  const bool has_logs =
      std::ranges::any_of(logs_, [](const PublisherLog& log) { return log.has_calls; });
  if (!has_logs) {
    if (logs_.empty()) {
      skip(Promise::publisher_order, "no record says who published it");
      skip(Promise::no_loss, "no record says who published it");
    }
    skip(Promise::causal_order, "without accept logs nobody knows when a call began");
    skip(Promise::nothing_altered, "without accept logs nobody knows what was published");
  }
  for (std::size_t i = index_of(Promise::conservation); i < promises; ++i)
    skip(static_cast<Promise>(i), "only the logs of a run can tell");
  if (!scope_.whole_streams) {
    skip(Promise::gapless, "a stream's other numbers may be in other topics");
  }
  if (full_) {
    for (const Promise promise : {Promise::no_loss, Promise::gapless, Promise::causal_order}) {
      skip(promise, "the audit's memory was full");
    }
  }
  // A kill leaves each publisher at most one call without an answer.
  if (calls_unanswered_ > std::max<std::uint64_t>(logs_.size(), calls_ / 100)) {
    doubt(std::to_string(calls_unanswered_) + " of " + std::to_string(calls_) +
          " calls have no answer");
  }
}

}  // namespace spillway::verify
