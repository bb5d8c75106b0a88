// tools/verify/audit_calls.cpp: what is judged with accept logs: contents and presence.

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
