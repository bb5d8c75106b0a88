#include "history/true_history.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "history/random.hpp"
#include "history/stream_writer.hpp"

namespace spillway::history {
namespace {

constexpr std::uint64_t start_ns = 1'000'000'000;

class Maker {
 public:
  Maker(std::uint64_t seed, std::uint64_t records_max) : random_{seed}, records_max_{records_max} {}

  verify::History make() {
    history_.run = random_.next();
    history_.causes.emplace();
    history_.outcomes.emplace();
    history_.outbox_log.emplace();
    history_.lane_changes.emplace();
    history_.faults.emplace();
    history_.drains.emplace();
    history_.call_ns_max = 2'000;
    make_topics();
    const std::uint64_t size_bits = random_.between(1, 11);
    const std::uint64_t records =
        std::min(records_max_, 2 + random_.below(std::uint64_t{1} << size_bits));
    const std::uint64_t instances = random_.between(1, 3);
    keys_ = random_.between(1, 16);
    for (std::uint64_t i = 0; i < instances; ++i)
      live_instance(std::max<std::uint64_t>(1, records / instances));
    lay_out();
    count();
    return std::move(history_);
  }

 private:
  void make_topics() {
    const std::uint64_t topics = random_.between(1, 3);
    for (std::uint64_t i = 0; i < topics; ++i) {
      const auto partitions = static_cast<std::uint32_t>(random_.between(1, 4));
      verify::TopicLog topic{.name = "topic-" + std::to_string(i),
                             .partitions = partitions,
                             .by_key = true,
                             .logs = {}};
      for (std::uint32_t p = 0; p < partitions; ++p)
        topic.logs.push_back({.partition = p, .messages = {}});
      history_.topics.push_back(std::move(topic));
    }
  }

  void live_instance(std::uint64_t records) {
    verify::InstanceHistory instance{.id = random_.next(),
                                     .lanes = static_cast<std::uint16_t>(random_.between(1, 3)),
                                     .lives = {},
                                     .counters = {}};
    std::map<std::uint16_t, StreamWriter> streams;
    const auto stream = [&](std::uint16_t lane) -> StreamWriter& {
      return streams.try_emplace(lane, history_, appends_, random_, instance.id, lane)
          .first->second;
    };
    std::uint16_t lanes = instance.lanes;
    std::uint64_t now_ns = start_ns + random_.below(1'000);
    const std::uint64_t lives = random_.between(1, 3);
    for (std::uint64_t i = 0; i < lives; ++i) {
      const bool is_last = i + 1 == lives;
      const Ending ending = ending_of(is_last);
      verify::Life life;
      life.opened_ns = now_ns;
      auto lane_records = publish(instance.id, lanes, records / lives + 1, ending, now_ns);
      for (std::uint16_t lane = 0; lane < lanes; ++lane) {
        now_ns = std::max(now_ns, stream(lane).live(life.opened_ns, lane_records[lane], ending));
        if (is_last && ending == Ending::killed) stream(lane).bury();
      }
      life.ended_ns = ++now_ns;
      if (ending == Ending::killed) {
        history_.faults->push_back({"killed", now_ns, now_ns});
      } else {
        life.in_flight_at_close = ending == Ending::holding ? journal_of(instance.id) : 0;
        life.closed_ok = life.in_flight_at_close == 0;
      }
      instance.lives.push_back(life);
      now_ns += random_.between(1, 5'000);
      // Only a journal that is empty takes another number of lanes.
      if (!is_last && ending == Ending::quiet && random_.chance(15)) {
        lanes = static_cast<std::uint16_t>(random_.between(1, 3));
        instance.lanes = std::max(instance.lanes, lanes);
        ++instance.lane_changes;
      }
    }
    history_.instances.push_back(std::move(instance));
  }

  Ending ending_of(bool is_last) {
    if (!is_last) return random_.chance(50) ? Ending::killed : Ending::quiet;
    return std::array{Ending::quiet, Ending::killed, Ending::waiting,
                      Ending::holding}[random_.below(4)];
  }

  // One life's publishers; what each lane gets, by stamp.
  std::vector<std::vector<Published>> publish(std::uint64_t instance, std::uint16_t lanes,
                                              std::uint64_t calls, Ending ending,
                                              std::uint64_t& now_ns) {
    const std::size_t first = history_.publishers.size();
    const std::uint64_t publishers = random_.between(1, 4);
    for (std::uint64_t i = 0; i < publishers; ++i) {
      history_.publishers.push_back({.publisher = static_cast<std::uint32_t>(first + i),
                                     .instance = instance,
                                     .begun = 0,
                                     .calls = {}});
    }
    std::vector<std::uint64_t> free_ns(publishers, now_ns);
    std::vector<std::vector<Published>> of_lane(lanes);
    for (std::uint64_t i = 0; i < calls; ++i) {
      const std::size_t publisher = random_.below(publishers);
      // Coarse ticks: equal stamps do happen, and order nothing.
      now_ns += random_.below(4) * 50;
      const std::uint64_t begin_ns = std::max(now_ns, free_ns[publisher]);
      const std::uint64_t return_ns = begin_ns + random_.below(8) * 50;
      free_ns[publisher] = return_ns;
      const Answer answer = random_.chance(3) ? Answer::rejected : Answer::accepted;
      call(first + publisher, begin_ns, return_ns, answer, of_lane);
    }
    for (std::size_t i = 0; i < publishers; ++i) {
      now_ns = std::max(now_ns, free_ns[i]);
      if (ending == Ending::killed && random_.chance(50)) {
        call(first + i, free_ns[i], 0, Answer::none, of_lane);
      }
    }
    for (auto& lane : of_lane)
      std::ranges::stable_sort(lane, {}, &Published::stamp_ns);
    return of_lane;
  }

  using Answer = verify::Answer;
  void call(std::size_t index, std::uint64_t begin_ns, std::uint64_t return_ns, Answer answer,
            std::vector<std::vector<Published>>& of_lane) {
    verify::PublisherCalls& publisher = history_.publishers[index];
    const verify::RecordName name{
        .run = history_.run, .publisher = publisher.publisher, .n = publisher.begun++};
    const std::string& topic = random_.one_of(history_.topics).name;
    verify::RawRecord record = make_record(name);
    publisher.calls.push_back({.begin_ns = begin_ns,
                               .return_ns = return_ns,
                               .content = content_of(topic, read(record)),
                               .answer = static_cast<std::uint64_t>(answer)});
    if (answer == Answer::rejected || (answer == Answer::none && random_.chance(50))) return;
    const std::uint64_t stamp_ns =
        answer == Answer::none ? begin_ns : begin_ns + random_.below(return_ns - begin_ns + 1);
    const std::uint64_t lane =
        record.key ? hash_of(*record.key) % of_lane.size() : publisher.publisher % of_lane.size();
    of_lane[lane].push_back({.topic = topic,
                             .name = name,
                             .record = std::move(record),
                             .stamp_ns = stamp_ns,
                             .known_ns = std::max(begin_ns, return_ns)});
  }

  static std::uint64_t hash_of(const std::string& key) {
    std::uint64_t hash = 17;
    for (const char c : key)
      hash = hash * 31 + static_cast<unsigned char>(c);
    return hash;
  }

  verify::RawRecord make_record(const verify::RecordName& name) {
    std::array<char, 96> tag{};
    std::snprintf(tag.data(), tag.size(), "run=%016llx publisher=%04u n=%012llu at=%019llu ",
                  static_cast<unsigned long long>(name.run), name.publisher,
                  static_cast<unsigned long long>(name.n), 1ULL);
    verify::RawRecord record;
    if (!random_.chance(8)) {
      const std::uint64_t key = random_.below(keys_);
      record.key = key == 0 ? std::string{} : 'k' + std::to_string(key);
    }
    if (random_.chance(6)) {
      record.headers.push_back({std::string{verify::tag_header}, tag.data()});
    } else {
      record.payload = tag.data() + std::string(random_.below(24), ' ');
    }
    for (std::uint64_t headers = random_.below(4); headers > 0; --headers) {
      record.headers.push_back({"h" + std::to_string(random_.below(3)), std::nullopt});
      if (!random_.chance(10)) record.headers.back().value = std::to_string(random_.below(1'000));
    }
    return record;
  }

  std::uint64_t journal_of(std::uint64_t instance) const {
    return static_cast<std::uint64_t>(std::ranges::count_if(
        history_.journals,
        [&](const verify::StoredCopy& copy) { return copy.position.instance == instance; }));
  }

  // Appends become messages, with an offset here and there for a control record.
  void lay_out() {
    std::ranges::stable_sort(appends_, {}, &Append::at_ns);
    for (Append& append : appends_) {
      auto& topic = *std::ranges::find(history_.topics, append.topic, &verify::TopicLog::name);
      const auto partition =
          append.record.key
              ? verify::partition_of(verify::bytes_of(*append.record.key), topic.partitions)
              : static_cast<std::uint32_t>(random_.below(topic.partitions));
      verify::PartitionLog& log = topic.logs[partition];
      if (random_.chance(3)) ++log.end_offset;
      log.messages.push_back({.offset = log.end_offset++, .record = std::move(append.record)});
    }
    for (verify::TopicLog& topic : history_.topics) {
      for (verify::PartitionLog& log : topic.logs)
        log.read_to = log.end_offset;
    }
  }

  void count() {
    std::map<std::uint64_t, verify::Counters> counters;
    std::map<std::uint32_t, std::uint64_t> instance_of;
    for (const verify::PublisherCalls& publisher : history_.publishers)
      instance_of[publisher.publisher] = publisher.instance;
    for (const verify::OutcomeReport& report : *history_.outcomes) {
      verify::Counters& counter = counters[instance_of[report.record.publisher]];
      ++counter.accepted;
      if (report.outcome == verify::Outcome::delivered) ++counter.delivered;
      if (report.outcome == verify::Outcome::spilled) ++counter.spilled;
      if (report.outcome == verify::Outcome::dead_lettered) ++counter.dead_lettered;
    }
    for (const verify::StoredCopy& rest : history_.journals) {
      ++counters[rest.position.instance].accepted;
      ++counters[rest.position.instance].in_flight;
    }
    for (const verify::StoredCopy& row : history_.outbox) {
      if (!row.held) ++counters[row.position.instance].depth;
    }
    for (const verify::StoredCopy& letter : history_.dead_letters)
      ++counters[letter.position.instance].relay_dead_lettered;
    for (verify::InstanceHistory& instance : history_.instances) {
      verify::Counters& counter = counters[instance.id];
      counter.relay_dead_lettered -= counter.dead_lettered;
      counter.relayed = counter.spilled - counter.depth - counter.relay_dead_lettered;
      instance.counters = counter;
    }
  }

  Random random_;
  std::uint64_t records_max_;
  std::uint64_t keys_ = 1;
  verify::History history_;
  std::vector<Append> appends_;
};

}  // namespace

verify::History true_history(std::uint64_t seed, std::uint64_t records_max) {
  return Maker{seed, records_max}.make();
}

}  // namespace spillway::history
