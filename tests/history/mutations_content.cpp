// tests/history/mutations_content.cpp: M46 to M59: what is not as it was published, or never was.

#include <algorithm>
#include <array>
#include <cstdio>

#include "history/copies.hpp"
#include "history/mutation.hpp"

namespace spillway::history {
namespace {

using verify::History;
using verify::Promise;
using verify::RawHeader;
using verify::RawRecord;

bool is_service(const RawHeader& header) {
  return !header.name.starts_with("spillway-") && header.name != verify::tag_header;
}

// Changes one message where `edit` finds something to change.
template <class Edit>
bool edit_one(History& history, Random& random, const Edit& edit) {
  const auto copies = copies_of(history);
  if (copies.empty()) return false;
  for (int tries = 0; tries < 20; ++tries) {
    if (edit(record_of(history, random.one_of(copies)))) return true;
  }
  return false;
}

bool flip_bit(History& history, Random& random) {
  return edit_one(history, random, [&](RawRecord& record) {
    if (!record.payload) return false;
    char& byte = (*record.payload)[random.below(record.payload->size())];
    byte = static_cast<char>(byte ^ (1 << random.below(8)));
    return true;
  });
}

bool byte_less(History& history, Random& random) {
  return edit_one(history, random, [](RawRecord& record) {
    if (!record.payload) return false;
    record.payload->pop_back();
    return true;
  });
}

bool byte_more(History& history, Random& random) {
  return edit_one(history, random, [](RawRecord& record) {
    if (!record.payload) return false;
    record.payload->push_back(' ');
    return true;
  });
}

// Of different keys or topics: else it would be the two records that are exchanged.
bool exchange_payloads(History& history, Random& random) {
  const auto pair = two_copies(copies_of(history), random, [&](const Copy& a, const Copy& b) {
    return a.name != b.name && (a.key != b.key || a.topic != b.topic) &&
           record_of(history, a).payload && record_of(history, b).payload;
  });
  if (!pair) return false;
  std::swap(record_of(history, pair->first).payload, record_of(history, pair->second).payload);
  return true;
}

bool change_key(History& history, Random& random) {
  return edit_one(history, random, [](RawRecord& record) {
    if (!record.key) return false;
    record.key->push_back('x');
    return true;
  });
}

bool null_key_to_empty(History& history, Random& random) {
  return edit_one(history, random, [](RawRecord& record) {
    if (record.key) return false;
    record.key.emplace();
    return true;
  });
}

bool null_payload_to_empty(History& history, Random& random) {
  return edit_one(history, random, [](RawRecord& record) {
    if (record.payload) return false;
    record.payload.emplace();
    return true;
  });
}

bool move_to_topic(History& history, Random& random) {
  if (history.topics.size() < 2) return false;
  const auto site =
      one_copy(copies_of(history), random, [](const Copy& copy) { return copy.copies == 1; });
  if (!site) return false;
  RawRecord record = record_of(history, *site);
  remove_message(history, *site);
  verify::TopicLog& other = history.topics[(site->topic + 1) % history.topics.size()];
  const auto partition =
      record.key ? verify::partition_of(verify::bytes_of(*record.key), other.partitions) : 0;
  append(other.logs[partition], std::move(record));
  return true;
}

bool move_to_partition(History& history, Random& random) {
  const auto site = one_copy(copies_of(history), random, [&](const Copy& copy) {
    return copy.copies == 1 && copy.key && history.topics[copy.topic].partitions > 1;
  });
  if (!site) return false;
  RawRecord record = record_of(history, *site);
  remove_message(history, *site);
  auto& logs = history.topics[site->topic].logs;
  append(logs[(site->log + 1) % logs.size()], std::move(record));
  return true;
}

bool drop_header(History& history, Random& random) {
  return edit_one(history, random, [](RawRecord& record) {
    const auto header = std::ranges::find_if(record.headers, is_service);
    if (header == record.headers.end()) return false;
    record.headers.erase(header);
    return true;
  });
}

bool change_header(History& history, Random& random) {
  return edit_one(history, random, [](RawRecord& record) {
    const auto header = std::ranges::find_if(record.headers, is_service);
    if (header == record.headers.end()) return false;
    header->value = header->value ? std::optional<std::string>{} : std::string{};
    return true;
  });
}

bool exchange_headers(History& history, Random& random) {
  return edit_one(history, random, [](RawRecord& record) {
    const auto first =
        std::ranges::adjacent_find(record.headers, [](const RawHeader& a, const RawHeader& b) {
          return is_service(a) && is_service(b) && a != b;
        });
    if (first == record.headers.end()) return false;
    std::iter_swap(first, first + 1);
    return true;
  });
}

// A message that looks like any other, at the end of a stream.
void append_as(History& history, Random& random, const verify::RecordName& name) {
  std::array<char, 96> tag{};
  std::snprintf(tag.data(), tag.size(), "run=%016llx publisher=%04u n=%012llu at=%019llu ",
                static_cast<unsigned long long>(name.run), name.publisher,
                static_cast<unsigned long long>(name.n), 1ULL);
  verify::Position position{.instance = random.one_of(history.instances).id};
  position.seq = last_seq(history, position.instance, 0) + 1;
  RawRecord record{.key = "k1", .payload = tag.data(), .headers = {}};
  record.headers.push_back({"spillway-position", verify::text_of(position)});
  verify::TopicLog& topic = history.topics.front();
  append(topic.logs[verify::partition_of(verify::bytes_of("k1"), topic.partitions)],
         std::move(record));
}

bool unknown_tag(History& history, Random& random) {
  const verify::PublisherCalls& publisher = random.one_of(history.publishers);
  verify::RecordName name{
      .run = history.run, .publisher = publisher.publisher, .n = publisher.begun};
  if (random.chance(50)) name.publisher = static_cast<std::uint32_t>(history.publishers.size());
  append_as(history, random, name);
  return true;
}

bool rejected_envelope(History& history, Random& random) {
  std::vector<verify::RecordName> rejected;
  for (const verify::PublisherCalls& publisher : history.publishers) {
    for (std::size_t n = 0; n < publisher.calls.size(); ++n) {
      if (publisher.calls[n].has(verify::Answer::rejected)) {
        rejected.push_back({.run = history.run, .publisher = publisher.publisher, .n = n});
      }
    }
  }
  if (rejected.empty()) return false;
  append_as(history, random, random.one_of(rejected));
  return true;
}

constexpr std::array table{
    Mutation{"M46", "a bit of the payload", Promise::nothing_altered, flip_bit},
    Mutation{"M47", "a byte less", Promise::nothing_altered, byte_less},
    Mutation{"M48", "a byte more", Promise::nothing_altered, byte_more},
    Mutation{"M49", "payloads exchanged", Promise::nothing_altered, exchange_payloads},
    Mutation{"M50", "another key", Promise::nothing_altered, change_key},
    Mutation{"M51", "null key made empty", Promise::nothing_altered, null_key_to_empty},
    Mutation{"M52", "null payload made empty", Promise::nothing_altered, null_payload_to_empty},
    Mutation{"M53", "another topic", Promise::nothing_altered, move_to_topic},
    Mutation{"M54", "another partition", Promise::nothing_altered, move_to_partition},
    Mutation{"M55", "header dropped", Promise::nothing_altered, drop_header},
    Mutation{"M56", "header value", Promise::nothing_altered, change_header},
    Mutation{"M57", "headers exchanged", Promise::nothing_altered, exchange_headers},
    Mutation{"M58", "unknown tag", Promise::nothing_altered, unknown_tag},
    Mutation{"M59", "rejected envelope", Promise::nothing_altered, rejected_envelope},
};

}  // namespace

std::span<const Mutation> contents() {
  return table;
}

}  // namespace spillway::history
