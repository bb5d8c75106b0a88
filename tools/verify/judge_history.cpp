// tools/verify/judge_history.cpp: a history's records through the audit, its logs through the rest.

#include <algorithm>

#include "verify/history.hpp"
#include "verify/history_judges.hpp"

namespace spillway::verify {
namespace {

AuditScope scope_of(const History& history) {
  AuditScope scope{.topic = history.topics.empty() ? std::string{} : history.topics.front().name,
                   .run = history.run};
  scope.exclusive = true;
  scope.whole_streams = true;
  for (const TopicLog& topic : history.topics) {
    if (&topic != &history.topics.front()) scope.other_topics.push_back(topic.name);
    scope.partitions_by_key.push_back(topic.by_key ? topic.partitions : 0);
  }
  return scope;
}

// Phase 0: is it whole?
void admit(const History& history, Audit& audit) {
  for (const TopicLog& topic : history.topics) {
    std::vector<bool> given(topic.partitions);
    for (const PartitionLog& log : topic.logs) {
      const std::string name = topic.name + '-' + std::to_string(log.partition);
      if (log.partition >= topic.partitions || given[log.partition]) {
        audit.refuse(name + " is given twice, or is no partition of its topic");
        continue;
      }
      given[log.partition] = true;
      if (log.first_offset != 0) {
        audit.refuse(name + " begins at " + std::to_string(log.first_offset) +
                     ": what was before has been removed");
      }
      if (log.read_to < log.end_offset) {
        audit.refuse(name + " was read to " + std::to_string(log.read_to) + " of " +
                     std::to_string(log.end_offset));
      }
    }
    for (std::size_t partition = 0; partition < given.size(); ++partition) {
      if (!given[partition]) {
        audit.refuse(topic.name + '-' + std::to_string(partition) + " is missing");
      }
    }
  }
}

class Feeder {
 public:
  Feeder(const History& history, Audit& audit) : history_{history}, audit_{audit} {}

  void feed() {
    for (const PublisherCalls& publisher : history_.publishers) {
      audit_.expect({.run = history_.run,
                     .publisher = publisher.publisher,
                     .begun = publisher.begun,
                     .calls = publisher.calls});
    }
    for (const InstanceHistory& instance : history_.instances)
      audit_.expect_instance(instance.id, instance.lanes, instance.lane_changes);
    if (history_.causes) audit_.expect_causes(*history_.causes);
    feed_stored(history_.outbox, &Audit::add_row);
    feed_stored(history_.dead_letters, &Audit::add_dead_letter);
    feed_stored(history_.journals, &Audit::add_unsettled);
    for (std::size_t topic = 0; topic < history_.topics.size(); ++topic) {
      for (const PartitionLog& log : history_.topics[topic].logs)
        feed_log(static_cast<std::uint16_t>(topic), log);
    }
  }

 private:
  void feed_stored(const std::vector<StoredCopy>& copies,
                   void (Audit::*add)(const StoredRecord&, const RecordReader&)) {
    for (const StoredCopy& copy : copies) {
      const auto topic = std::ranges::find(history_.topics, copy.topic, &TopicLog::name);
      if (topic == history_.topics.end()) {
        audit_.refuse("the topic '" + copy.topic + "' of " + text_of(copy.position) +
                      " is not given");
        continue;
      }
      const StoredRecord stored{
          .topic = static_cast<std::uint16_t>(topic - history_.topics.begin()),
          .position = copy.position,
          .held = copy.held,
          .marked = copy.marked,
          .renumbered_from = copy.renumbered_from};
      (audit_.*add)(stored, read(copy.record));
    }
  }

  void feed_log(std::uint16_t topic, const PartitionLog& log) {
    for (const LoggedMessage& message : log.messages) {
      audit_.add_message({.topic = topic, .partition = log.partition, .offset = message.offset},
                         read(message.record));
    }
  }

  const History& history_;
  Audit& audit_;
};

}  // namespace

RecordReader read(const RawRecord& record) noexcept {
  const auto bytes = [](const std::optional<std::string>& text) {
    return text ? std::optional{bytes_of(*text)} : std::nullopt;
  };
  RecordReader reader{bytes(record.key), bytes(record.payload)};
  for (const RawHeader& header : record.headers)
    reader.take_header(header.name, bytes(header.value));
  return reader;
}

std::string_view name_of(LaneState state) noexcept {
  switch (state) {
    case LaneState::direct:
      return "direct";
    case LaneState::spilling:
      return "spilling";
    case LaneState::returning:
      return "returning";
    case LaneState::recalling:
      return "recalling";
  }
  return "";
}

AuditResult judge(const History& history) {
  Audit audit{scope_of(history)};
  admit(history, audit);
  Feeder{history, audit}.feed();
  AuditResult result = audit.finish();
  // What only logs can tell; each judge says what it was not given.
  for (std::size_t i = index_of(Promise::conservation); i < promises; ++i)
    result.not_judged[i].clear();
  judge_ledger(history, result);
  judge_outbox_log(history, result);
  judge_lanes(history, result);
  judge_times(history, result);
  tell_timelines(history, result);
  return result;
}

}  // namespace spillway::verify
