// tools/verify/timeline.cpp: the first offenders' whole stories, from the logs of the run.

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "verify/history_judges.hpp"

namespace spillway::verify {
namespace {

// A moment, and what happened then.
using Line = std::pair<std::uint64_t, std::string>;

class Timeline {
 public:
  explicit Timeline(const History& history) : history_{history} {
    for (const PublisherCalls& publisher : history.publishers) {
      if (!publisher.calls.empty()) {
        start_ns_ = std::min(start_ns_, publisher.calls.front().begin_ns);
      }
    }
  }

  [[nodiscard]] std::vector<std::string> of(std::optional<Position> position,
                                            std::optional<RecordName> record) {
    find_each_by_the_other(position, record);
    lines_.clear();
    if (record) tell_record(*record);
    if (position) tell_position(*position);
    if (lines_.empty()) return {};
    std::ranges::sort(lines_);
    const auto [first, last] = std::pair{lines_.front().first, lines_.back().first};
    if (position) tell_lane(*position, first, last);
    for (const FaultEvent& fault : history_.faults.value_or(std::vector<FaultEvent>{})) {
      if (fault.from_ns <= last && first <= fault.until_ns) {
        tell(fault.from_ns, "fault: " + fault.what + ", until " + text_of(fault.until_ns));
      }
    }
    std::ranges::sort(lines_);
    std::vector<std::string> texts;
    texts.reserve(lines_.size() + places_.size());
    for (const auto& [at_ns, text] : lines_)
      texts.push_back(text_of(at_ns) + ' ' + text);
    for (std::string& place : places_)
      texts.push_back(std::move(place));
    places_.clear();
    return texts;
  }

 private:
  void tell(std::uint64_t at_ns, std::string text) { lines_.emplace_back(at_ns, std::move(text)); }

  [[nodiscard]] std::string text_of(std::uint64_t at_ns) const {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%+.9f",
                  (static_cast<double>(at_ns) - static_cast<double>(start_ns_)) / 1e9);
    return text.data();
  }

  static std::optional<RecordName> name_in(const RecordReader& reader) {
    if (reader.payload().kind != PayloadKind::tagged) return std::nullopt;
    const Tag& tag = reader.payload().tag;
    return RecordName{.run = tag.run, .publisher = tag.publisher, .n = tag.n};
  }

  // Looks for its copies; whichever of both is known finds the other.
  void find_each_by_the_other(std::optional<Position>& position,
                              std::optional<RecordName>& record) {
    places_.clear();
    const auto meet = [&](const Position& at, const RecordReader& reader,
                          const std::string& where) {
      const auto name = name_in(reader);
      if ((!position || at != *position) && (!record || name != record)) return;
      if (!position) position = at;
      if (!record) record = name;
      places_.push_back(where);
    };
    for (const TopicLog& topic : history_.topics) {
      for (const PartitionLog& log : topic.logs) {
        for (const LoggedMessage& message : log.messages) {
          const RecordReader reader = read(message.record);
          meet(reader.position().value_or(Position{}), reader,
               "in Kafka: " + topic.name + '-' + std::to_string(log.partition) + " @ " +
                   std::to_string(message.offset) + (reader.is_relayed() ? ", by a relay" : "") +
                   (reader.mark() == Mark::none ? "" : ", marked"));
        }
      }
    }
    for (const StoredCopy& row : history_.outbox)
      meet(row.position, read(row.record), row.held ? "a held row" : "a row of the outbox");
    for (const StoredCopy& dead : history_.dead_letters)
      meet(dead.position, read(dead.record), "a dead letter: " + dead.error);
    for (const StoredCopy& rest : history_.journals)
      meet(rest.position, read(rest.record), "in the journal");
  }

  void tell_record(const RecordName& record) {
    const auto publisher =
        std::ranges::find(history_.publishers, record.publisher, &PublisherCalls::publisher);
    if (publisher != history_.publishers.end() && record.n < publisher->calls.size()) {
      const Accept& call = publisher->calls[record.n];
      tell(call.begin_ns, "publish() began");
      if (!call.has(Answer::none)) {
        tell(call.return_ns, call.has(Answer::accepted) ? "accepted" : "rejected");
      }
    }
    for (const OutcomeReport& report : history_.outcomes.value_or(std::vector<OutcomeReport>{})) {
      if (report.record != record) continue;
      constexpr std::array names{"delivered", "spilled", "dead-lettered"};
      tell(report.at_ns,
           std::string{"reported "} + names.at(static_cast<std::size_t>(report.outcome)));
    }
  }

  void tell_position(const Position& position) {
    if (!history_.outbox_log) return;
    const auto covers = [&](const SeqRange& rows) {
      return rows.instance == position.instance && rows.lane == position.lane &&
             rows.first <= position.seq && position.seq <= rows.last;
    };
    for (const CommitEvent& commit : history_.outbox_log->commits) {
      if (covers(commit.rows)) tell(commit.at_ns, commit.held ? "committed, held" : "committed");
    }
    for (const ReadEvent& read : history_.outbox_log->reads) {
      if (covers(read.rows)) tell(read.at_ns, "read by relay " + std::to_string(read.relay));
    }
    for (const AckEvent& ack : history_.outbox_log->acks) {
      if (ack.position == position) tell(ack.at_ns, ack.refused ? "refused by Kafka" : "acked");
    }
    for (const DeleteEvent& deleted : history_.outbox_log->deletes) {
      if (covers(deleted.rows)) tell(deleted.at_ns, "deleted from the outbox");
    }
  }

  void tell_lane(const Position& position, std::uint64_t first, std::uint64_t last) {
    for (const LaneChange& change : history_.lane_changes.value_or(std::vector<LaneChange>{})) {
      if (change.instance != position.instance || change.lane != position.lane) continue;
      if (change.at_ns < first || change.at_ns > last) continue;
      tell(change.at_ns, "lane " + std::to_string(position.lane) + ' ' +
                             std::string{change.from ? name_of(*change.from) : "opened"} + " -> " +
                             std::string{name_of(change.to)});
    }
  }

  const History& history_;
  std::uint64_t start_ns_ = std::numeric_limits<std::uint64_t>::max();
  std::vector<Line> lines_;
  std::vector<std::string> places_;
};

}  // namespace

void note(AuditResult& result, Kind kind, std::optional<Position> position,
          std::optional<RecordName> record, const std::string& story) {
  Finding& finding = result.findings[static_cast<std::size_t>(kind)];
  if (finding.count++ != 0) return;
  finding.position = position ? text_of(*position) : std::string{};
  finding.record = record;
  finding.story = story;
}

void tell_timelines(const History& history, AuditResult& result) {
  Timeline timeline{history};
  for (Finding& finding : result.findings) {
    if (finding.count == 0) continue;
    finding.timeline = timeline.of(parse_position(finding.position), finding.record);
  }
}

}  // namespace spillway::verify
