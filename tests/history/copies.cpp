#include "history/copies.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace spillway::history {

std::vector<Copy> copies_of(const verify::History& history) {
  std::vector<Copy> copies;
  std::map<verify::RecordName, std::size_t> count;
  std::set<std::tuple<std::size_t, std::size_t, verify::RecordName>> met;
  for (std::size_t topic = 0; topic < history.topics.size(); ++topic) {
    const auto& logs = history.topics[topic].logs;
    for (std::size_t log = 0; log < logs.size(); ++log) {
      for (std::size_t n = 0; n < logs[log].messages.size(); ++n) {
        const verify::LoggedMessage& message = logs[log].messages[n];
        const verify::RecordReader reader = read(message.record);
        const verify::Tag& tag = reader.payload().tag;
        Copy copy{.topic = topic, .log = log, .n = n, .offset = message.offset};
        copy.position = reader.position().value_or(verify::Position{});
        copy.name = {.run = tag.run, .publisher = tag.publisher, .n = tag.n};
        copy.mark = reader.mark();
        copy.renumbered_from = reader.renumbered_from();
        copy.relayed = reader.is_relayed();
        copy.key = message.record.key;
        copy.is_first = met.insert({topic, log, copy.name}).second;
        ++count[copy.name];
        copies.push_back(std::move(copy));
      }
    }
  }
  std::set<verify::Position> stored;
  for (const auto* list : {&history.outbox, &history.journals, &history.dead_letters}) {
    for (const verify::StoredCopy& one : *list)
      stored.insert(one.position);
  }
  for (Copy& copy : copies) {
    copy.copies = count[copy.name];
    copy.stored = stored.contains(copy.position);
  }
  return copies;
}

verify::PartitionLog& log_of(verify::History& history, const Copy& copy) {
  return history.topics[copy.topic].logs[copy.log];
}

verify::RawRecord& record_of(verify::History& history, const Copy& copy) {
  return log_of(history, copy).messages[copy.n].record;
}

const verify::Accept& call_of(const verify::History& history, const verify::RecordName& name) {
  return history.publishers.at(name.publisher).calls.at(name.n);
}

bool was_accepted(const verify::History& history, const verify::RecordName& name) {
  return call_of(history, name).has(verify::Answer::accepted);
}

verify::RawHeader* header_of(verify::RawRecord& record, std::string_view name) {
  const auto found = std::ranges::find(record.headers, name, &verify::RawHeader::name);
  return found == record.headers.end() ? nullptr : &*found;
}

void remove_header(verify::RawRecord& record, std::string_view name) {
  std::erase_if(record.headers, [&](const verify::RawHeader& h) { return h.name == name; });
}

void set_position(verify::RawRecord& record, const verify::Position& position) {
  header_of(record, "spillway-position")->value = verify::text_of(position);
}

void remove_messages(verify::History& history, const std::set<verify::RecordName>& names) {
  for (verify::TopicLog& topic : history.topics) {
    for (verify::PartitionLog& log : topic.logs) {
      std::erase_if(log.messages, [&](const verify::LoggedMessage& message) {
        const verify::Tag tag = read(message.record).payload().tag;
        return names.contains({.run = tag.run, .publisher = tag.publisher, .n = tag.n});
      });
    }
  }
}

void remove_message(verify::History& history, const Copy& copy) {
  auto& messages = log_of(history, copy).messages;
  messages.erase(messages.begin() + static_cast<std::ptrdiff_t>(copy.n));
}

void insert_behind(verify::PartitionLog& log, std::size_t n, verify::RawRecord record) {
  const std::uint64_t offset = log.messages[n].offset + 1;
  for (std::size_t i = n + 1; i < log.messages.size(); ++i)
    ++log.messages[i].offset;
  ++log.end_offset;
  log.read_to = log.end_offset;
  log.messages.insert(log.messages.begin() + static_cast<std::ptrdiff_t>(n) + 1,
                      {.offset = offset, .record = std::move(record)});
}

void append(verify::PartitionLog& log, verify::RawRecord record) {
  log.messages.push_back({.offset = log.end_offset++, .record = std::move(record)});
  log.read_to = log.end_offset;
}

std::uint64_t last_seq(const verify::History& history, std::uint64_t instance, std::uint16_t lane) {
  std::uint64_t last = 0;
  const auto meet = [&](const verify::Position& position) {
    if (position.instance == instance && position.lane == lane) last = std::max(last, position.seq);
  };
  for (const Copy& copy : copies_of(history))
    meet(copy.position);
  for (const auto* list : {&history.outbox, &history.journals, &history.dead_letters}) {
    for (const verify::StoredCopy& one : *list)
      meet(one.position);
  }
  return last;
}

}  // namespace spillway::history
