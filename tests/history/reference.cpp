#include "history/reference.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace spillway::history {
namespace {

using verify::Answer;
using verify::History;
using verify::Position;
using verify::Promise;
using verify::RecordName;

enum class Lies : std::uint8_t { in_kafka, in_outbox, dead, in_journal };

// One place where a record lies.
struct Item {
  Lies lies = Lies::in_kafka;
  std::size_t topic = 0;
  std::uint32_t partition = 0;
  std::uint64_t offset = 0;
  std::optional<Position> position = {};
  std::optional<RecordName> name = {};
  verify::PayloadKind payload = verify::PayloadKind::foreign;
  std::optional<std::string> key = {};
  std::uint64_t record_content = 0;
  std::uint64_t content = 0;
  std::uint64_t renumbered_from = 0;
  bool marked = false;
  verify::Mark mark = verify::Mark::none;

  [[nodiscard]] bool is_message() const noexcept { return lies == Lies::in_kafka; }
};

bool same_stream(const Position& a, const Position& b) {
  return a.instance == b.instance && a.lane == b.lane;
}

class Reference {
 public:
  explicit Reference(const History& history) : history_{history} {
    add_stored(history.outbox, Lies::in_outbox);
    add_stored(history.dead_letters, Lies::dead);
    add_stored(history.journals, Lies::in_journal);
    for (std::size_t topic = 0; topic < history.topics.size(); ++topic) {
      for (const verify::PartitionLog& log : history.topics[topic].logs) {
        for (const verify::LoggedMessage& message : log.messages)
          add_message(topic, log.partition, message);
      }
    }
  }

  std::set<Promise> judge() {
    judge_content();
    judge_identity();
    judge_presence();
    judge_stream_order();
    judge_key_order();
    judge_lanes();
    judge_calls();
    judge_copies();
    return std::move(broken_);
  }

 private:
  void add(Item item, const verify::RecordReader& reader) {
    item.payload = reader.payload().kind;
    if (reader.payload().kind == verify::PayloadKind::tagged &&
        reader.payload().tag.run == history_.run) {
      const verify::Tag& tag = reader.payload().tag;
      item.name = RecordName{.run = tag.run, .publisher = tag.publisher, .n = tag.n};
    }
    item.record_content = reader.content();
    item.content = content_of(history_.topics[item.topic].name, reader);
    items_.push_back(std::move(item));
  }

  void add_stored(const std::vector<verify::StoredCopy>& list, Lies lies) {
    for (const verify::StoredCopy& copy : list) {
      Item item{.lies = lies};
      item.topic = static_cast<std::size_t>(
          std::ranges::find(history_.topics, copy.topic, &verify::TopicLog::name) -
          history_.topics.begin());
      item.position = copy.position;
      item.key = copy.record.key;
      item.renumbered_from = copy.renumbered_from;
      item.marked = copy.marked;
      add(std::move(item), read(copy.record));
    }
  }

  void add_message(std::size_t topic, std::uint32_t partition,
                   const verify::LoggedMessage& message) {
    const verify::RecordReader reader = read(message.record);
    Item item{.topic = topic, .partition = partition, .offset = message.offset};
    item.position = reader.position();
    item.key = message.record.key;
    item.renumbered_from = reader.renumbered_from();
    item.mark = reader.mark();
    item.marked = reader.mark() != verify::Mark::none;
    add(std::move(item), reader);
  }

  [[nodiscard]] const verify::Accept* call_of(const RecordName& name) const {
    for (const verify::PublisherCalls& publisher : history_.publishers) {
      if (publisher.publisher == name.publisher && name.n < publisher.calls.size()) {
        return &publisher.calls[name.n];
      }
    }
    return nullptr;
  }

  // The number that the record was given first.
  [[nodiscard]] Position root_of(Position position) const {
    for (bool again = true; again;) {
      again = false;
      for (const Item& item : items_) {
        if (item.position == position && item.renumbered_from != 0 &&
            item.renumbered_from < position.seq) {
          position.seq = item.renumbered_from;
          again = true;
          break;
        }
      }
    }
    return position;
  }

  // P5: each is what its publisher handed over, where it belongs.
  void judge_content() {
    for (const Item& item : items_) {
      const bool is_right = [&] {
        if (!item.name) return !item.is_message();
        const verify::Accept* const call = call_of(*item.name);
        return call != nullptr && !call->has(Answer::rejected) && call->content == item.content;
      }();
      const verify::TopicLog& topic = history_.topics[item.topic];
      const bool is_placed =
          !item.is_message() || !item.key || !topic.by_key ||
          verify::partition_of(verify::bytes_of(*item.key), topic.partitions) == item.partition;
      if (!is_right || !is_placed) broken_.insert(Promise::nothing_altered);
    }
  }

  // P6: record and position belong together, for ever.
  void judge_identity() {
    for (const Item& item : items_) {
      if (!item.position) {
        broken_.insert(Promise::one_position);
        continue;
      }
      const auto instance = std::ranges::find(history_.instances, item.position->instance,
                                              &verify::InstanceHistory::id);
      if (item.is_message() &&
          (instance == history_.instances.end() || item.position->lane >= instance->lanes)) {
        broken_.insert(Promise::one_position);
      }
      for (const Item& other : items_) {
        if (!other.position) continue;
        const bool one_position = *item.position == *other.position;
        const bool one_record = item.name && item.name == other.name;
        if (one_position && item.record_content != other.record_content) {
          broken_.insert(Promise::one_position);
        }
        if (one_record && !one_position && root_of(*item.position) != root_of(*other.position)) {
          broken_.insert(Promise::one_position);
        }
      }
    }
  }

  // P4 and P7: every accepted record is somewhere, every number has its record.
  void judge_presence() {
    for (const verify::PublisherCalls& publisher : history_.publishers) {
      for (std::size_t n = 0; n < publisher.calls.size(); ++n) {
        if (!publisher.calls[n].has(Answer::accepted)) continue;
        const RecordName name{.run = history_.run, .publisher = publisher.publisher, .n = n};
        if (std::ranges::none_of(items_, [&](const Item& item) { return item.name == name; })) {
          broken_.insert(Promise::no_loss);
        }
      }
    }
    for (const Item& item : items_) {
      if (!item.position) continue;
      // 0: in a journal and without a number, or never renumbered.
      for (const std::uint64_t seq : {item.position->seq, item.renumbered_from}) {
        if (seq > 1 && !is_known(Position{item.position->instance, item.position->lane, seq - 1})) {
          broken_.insert(Promise::gapless);
        }
      }
    }
    judge_dead();
  }

  // A record has this number, or had it.
  [[nodiscard]] bool is_known(const Position& number) const {
    return std::ranges::any_of(items_, [&](const Item& item) {
      return item.position && (*item.position == number || (same_stream(*item.position, number) &&
                                                            item.renumbered_from == number.seq));
    });
  }

  void judge_dead() {
    for (const Item& dead : items_) {
      if (dead.lies != Lies::dead) continue;
      bool is_marked = dead.marked;
      bool is_delivered = false;
      for (const Item& other : items_) {
        if (other.position != dead.position) continue;
        if (other.lies == Lies::in_outbox) broken_.insert(Promise::gapless);
        is_delivered = is_delivered || other.is_message();
        is_marked = is_marked || (other.is_message() && other.marked);
      }
      if (is_delivered && !is_marked) broken_.insert(Promise::gapless);
    }
  }

  template <class Same>
  [[nodiscard]] bool is_first(std::size_t index, const Same& same) const {
    for (std::size_t i = 0; i < index; ++i) {
      if (items_[i].is_message() && same(items_[i])) return false;
    }
    return true;
  }

  [[nodiscard]] std::size_t messages_of(const RecordName& name) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        items_, [&](const Item& item) { return item.is_message() && item.name == name; }));
  }

  // P3 and P9.
  void judge_stream_order() {
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const Item& late = items_[i];
      if (!late.is_message() || !late.position) continue;
      if (!is_first(i, [&](const Item& other) { return other.position == late.position; })) {
        judge_elsewhere(i);
        continue;
      }
      if (!late.key && late.name && messages_of(*late.name) > 1) continue;
      for (std::size_t j = 0; j < i; ++j) {
        const Item& before = items_[j];
        if (before.is_message() && before.position && before.topic == late.topic &&
            before.partition == late.partition && same_stream(*before.position, *late.position) &&
            before.position->seq > late.position->seq) {
          broken_.insert(Promise::stream_order);
          broken_.insert(Promise::duplicates_stutter);
        }
      }
    }
  }

  void judge_elsewhere(std::size_t index) {
    const Item& copy = items_[index];
    if (!copy.key) return;
    const auto first = std::ranges::find_if(items_, [&](const Item& other) {
      return other.is_message() && other.position == copy.position;
    });
    if (first->topic != copy.topic || first->partition != copy.partition) {
      broken_.insert(Promise::duplicates_stutter);
    }
  }

  // P1, as the topic shows it.
  void judge_key_order() {
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const Item& late = items_[i];
      if (!late.name) continue;
      if (late.lies == Lies::in_outbox) judge_row(late);
      if (!late.is_message() ||
          !is_first(i, [&](const Item& other) { return other.name == late.name; })) {
        continue;
      }
      for (std::size_t j = 0; j < i; ++j) {
        const Item& before = items_[j];
        if (!before.is_message() || !before.name ||
            before.name->publisher != late.name->publisher || before.topic != late.topic ||
            before.key != late.key ||
            !is_first(j, [&](const Item& other) { return other.name == before.name; })) {
          continue;
        }
        if (late.key && before.partition != late.partition) {
          broken_.insert(Promise::publisher_order);
        }
        const bool is_excused = !late.key && late.position && messages_of(*late.name) > 1;
        if (before.partition == late.partition && before.name->n > late.name->n && !is_excused) {
          broken_.insert(Promise::publisher_order);
        }
      }
    }
  }

  // A row that waits, and one of its key that was published later is in Kafka.
  void judge_row(const Item& row) {
    if (!row.key) return;
    const bool is_settled = std::ranges::any_of(items_, [&](const Item& other) {
      return other.name == row.name && (other.is_message() || other.lies == Lies::dead);
    });
    if (is_settled) return;
    for (const Item& other : items_) {
      if (other.is_message() && other.name && other.name->publisher == row.name->publisher &&
          other.topic == row.topic && other.key == row.key && other.name->n > row.name->n) {
        broken_.insert(Promise::publisher_order);
      }
    }
  }

  // P1: a key changes its lane only when the number of lanes is changed.
  void judge_lanes() {
    std::map<std::tuple<std::uint64_t, std::size_t, std::string>,
             std::pair<std::uint16_t, std::uint64_t>>
        lanes;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const Item& item = items_[i];
      if (!item.is_message() || !item.position || !item.key ||
          !is_first(i, [&](const Item& other) { return other.position == item.position; })) {
        continue;
      }
      const auto instance = std::ranges::find(history_.instances, item.position->instance,
                                              &verify::InstanceHistory::id);
      if (instance == history_.instances.end()) continue;
      auto& [lane, moves] = lanes
                                .try_emplace({item.position->instance, item.topic, *item.key},
                                             item.position->lane, std::uint64_t{0})
                                .first->second;
      if (lane == item.position->lane) continue;
      lane = item.position->lane;
      if (++moves > instance->lane_changes) broken_.insert(Promise::publisher_order);
    }
  }

  // P1 and P2: numbers are given in the order in which calls were made.
  void judge_calls() {
    std::map<RecordName, Position> numbers;
    for (const Item& item : items_) {
      if (item.name && item.position && item.position->seq != 0) {
        numbers.try_emplace(*item.name, *item.position);
      }
    }
    for (auto& [name, position] : numbers)
      position = root_of(position);
    for (const auto& [a_name, a] : numbers) {
      for (const auto& [b_name, b] : numbers) {
        if (!same_stream(a, b) || a.seq <= b.seq) continue;
        // a has the higher number.
        if (a_name.publisher == b_name.publisher && a_name.n < b_name.n) {
          broken_.insert(Promise::publisher_order);
        }
        const verify::Accept* const first = call_of(a_name);
        const verify::Accept* const second = call_of(b_name);
        if (first != nullptr && second != nullptr && first->return_ns != 0 &&
            first->return_ns < second->begin_ns) {
          broken_.insert(Promise::causal_order);
        }
      }
    }
  }

  // P8.
  void judge_copies() {
    for (const Item& item : items_) {
      if (!item.is_message()) continue;
      if (item.marked && item.position && history_.causes && !is_founded(item)) {
        broken_.insert(Promise::no_unexplained_duplicate);
      }
      std::size_t copies = 0;
      std::size_t marked = 0;
      for (const Item& other : items_) {
        const bool is_copy =
            item.name ? other.name == item.name
                      : (!other.name && item.position && other.position == item.position);
        if (!other.is_message() || !is_copy) continue;
        ++copies;
        marked += other.marked ? 1U : 0U;
      }
      if (copies > 1 + marked) broken_.insert(Promise::no_unexplained_duplicate);
    }
  }

  [[nodiscard]] bool is_founded(const Item& item) const {
    return std::ranges::any_of(*history_.causes, [&](const verify::ResendCause& cause) {
      const auto covers = [&](std::uint64_t seq) {
        return cause.first_seq <= seq && seq <= cause.last_seq;
      };
      return cause.mark == item.mark && cause.instance == item.position->instance &&
             cause.lane == item.position->lane &&
             (covers(item.position->seq) ||
              (item.renumbered_from != 0 && covers(item.renumbered_from)));
    });
  }

  const History& history_;
  std::vector<Item> items_;
  std::set<Promise> broken_;
};

}  // namespace

std::set<Promise> broken_by_definition(const History& history) {
  return Reference{history}.judge();
}

}  // namespace spillway::history
