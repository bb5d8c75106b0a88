#include "crash/life.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <csignal>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "core/limits.hpp"
#include "crash/content.hpp"
#include "crash/dice.hpp"
#include "crash/ledger_broker.hpp"
#include "handoff/topic_directory.hpp"
#include "journal/journal.hpp"
#include "journal/recovery.hpp"
#include "loops/lane_loop.hpp"
#include "runtime/clock.hpp"
#include "runtime/publisher_impl.hpp"

namespace spillway::crash {
namespace {

constexpr std::size_t turns_in_a_life = 400;
constexpr std::size_t steps_of_a_drain_max = 10'000'000;
constexpr std::size_t record_bytes_max = core::record_content_bytes_max;

class NoLog final : public ports::Log {
 public:
  void write(LogLevel /*level*/, std::string_view /*text*/) noexcept override {}
};

/// Raises SIGSTOP at the n-th pass of one point.
class Stopper {
 public:
  explicit Stopper(std::optional<StopAt> at) noexcept : at_{at} {}
  void operator()(Point point) noexcept {
    if (at_ && point == at_->point && ++passes_ == at_->pass) std::raise(SIGSTOP);
  }

 private:
  std::optional<StopAt> at_;
  std::uint64_t passes_ = 0;
};

// A lane that never leaves Kafka, however long its process is stopped.
loops::LaneSettings patient_lane() {
  loops::LaneSettings settings;
  settings.limits.failover_after = std::chrono::hours{1};
  settings.limits.failover_after_relaxed = std::chrono::hours{1};
  return settings;
}

/// Topics are made by a Pipeline alone, and here is none: the first of the journal's table.
Topic first_topic() noexcept {
  static_assert(sizeof(Topic) == sizeof(std::uint16_t));
  return std::bit_cast<Topic>(std::uint16_t{0});
}

struct Lane {
  Lane(handoff::HandOff& from, std::unique_ptr<LedgerBroker> broker)
      : hand_off{from}, brokers{std::move(broker)} {}
  handoff::HandOff& hand_off;
  LedgerBrokerSupply brokers;
  handoff::Arrow<loops::WriterJob> jobs;
  handoff::Arrow<loops::WriterReport> reports;
  handoff::LaneCounters counters;
  std::optional<loops::LaneLoop> loop;
};

// A publisher's inside is its Pipeline's alone, and a Pipeline needs servers. An explicit
// instantiation may name what is private ([temp.explicit]): so it is production's publish() that is
// killed, and production knows nothing of it.
auto new_publisher(runtime::PublishSide& side);
template <class Impl>
struct Named {
  friend auto new_publisher(runtime::PublishSide& side) { return std::make_unique<Impl>(side); }
};
template struct Named<Publisher::Impl>;
using OwnedPublisher = decltype(new_publisher(std::declval<runtime::PublishSide&>()));

/// One publisher: what it publishes next is decided by how far its log is.
class Author {
 public:
  Author(std::uint32_t index, std::size_t payload_bytes_max, runtime::PublishSide& side,
         Ledger& ledger)
      : index_{index},
        payload_bytes_max_{payload_bytes_max},
        ledger_{ledger},
        log_{ledger.publisher[index]},
        publisher_{new_publisher(side)} {}

  void publish(const Passing& passing) {
    const RecordName name{.publisher = index_, .number = log_.accepted.load() + 1};
    const std::uint64_t order = ledger_.order.fetch_add(1) + 1;
    const Content content = content_of(name, order, payload_bytes_max_);
    Envelope envelope{.topic = first_topic(), .payload = content.payload};
    if (content.key) envelope.key = Key{*content.key};
    std::array<Header, 1> about{Header{.name = "about", .value = std::nullopt}};
    if (content.header) {
      about[0].value = bytes_of(*content.header);
      envelope.headers = about;
    }
    if (content.event_time_ms) {
      envelope.event_time = EventTime{std::chrono::milliseconds{*content.event_time_ms}};
    }
    const std::size_t bytes = bytes_of(content);

    passing(bytes > left_in_segment_ ? Point::recycle : Point::publish);
    log_.begun.store(name.number);
    const PublishResult result = publisher_->publish(envelope);
    if (result) {
      log_.accepted.store(name.number);
      if (bytes > left_in_segment_) left_in_segment_ = core::segment_bytes;
      left_in_segment_ -= bytes;
    } else {
      log_.begun.store(name.number - 1);
    }
  }

 private:
  static std::size_t bytes_of(const Content& content) {
    std::size_t header_bytes = 0;
    if (content.header) header_bytes = 2 + 5 + 4 + content.header->size();
    return core::record_bytes_for(content.payload.size() + content.key.value_or("").size() +
                                  header_bytes);
  }
  static Bytes bytes_of(const std::string& text) { return spillway::bytes_of(text); }

  std::uint32_t index_;
  std::size_t payload_bytes_max_;
  Ledger& ledger_;
  AcceptLog& log_;
  OwnedPublisher publisher_;
  std::size_t left_in_segment_ = 0;
};

journal::Recovered recover_with_topic(journal::Journal& journal) {
  journal::Recovered found = journal::recover(journal);
  static_cast<void>(journal.add_topic("orders"));
  return found;
}

/// What src/runtime wires, less the servers.
class Service {
 public:
  Service(const LifeOrder& order, Ledger& ledger)
      : order_{order},
        ledger_{ledger},
        dice_{order.seed},
        stopper_{order.stop_at},
        journal_{path_to_open(), journal_bytes} {
    stopper_(Point::recover);
    recovered_ = recover_with_topic(journal_);
    journal_.set_lanes(lanes);
    topics_.set({0}, {.standing = handoff::TopicStanding::exists, .message_bytes_max = 1'048'588});
    for (std::size_t i = 0; i < lanes; ++i)
      hand_offs_.push_back(std::make_unique<handoff::HandOff>(10'000));
    stopper_(Point::adopt);
    for (std::uint16_t i = 0; i < lanes; ++i)
      begin_lane({i});
    for (std::uint32_t i = 0; i < publishers; ++i)
      authors_.push_back(
          std::make_unique<Author>(i, order_.payload_bytes_max, publish_side_, ledger_));
  }

  int run() {
    switch (order_.work) {
      case Work::in_turns:
        return run_in_turns();
      case Work::threads:
        return run_threads();
      case Work::drain:
        return drain();
    }
    return 1;
  }

 private:
  const std::string& path_to_open() {
    stopper_(Point::open);
    return order_.journal;
  }

  void begin_lane(core::LaneIndex index) {
    auto lane = std::make_unique<Lane>(
        *hand_offs_[index.value],
        std::make_unique<LedgerBroker>(ledger_, order_.payload_bytes_max, dice_.next(),
                                       [this](Point at) { stopper_(at); }));
    lane->loop.emplace(index, patient_lane(),
                       loops::LaneWiring{journal_, lane->hand_off, lane->jobs, lane->reports,
                                         topics_, lane->brokers, lane->counters, log_},
                       std::move(recovered_.lanes[index.value]));
    lanes_.push_back(std::move(lane));
  }

  void step() {
    stopper_(Point::step);
    for (const auto& lane : lanes_)
      static_cast<void>(lane->loop->step(clock_.now()));
  }

  int run_in_turns() {
    for (std::size_t turn = 0; turn < turns_in_a_life; ++turn) {
      const std::uint64_t burst = dice_.log_uniform(16);
      for (std::uint64_t i = 0; i < burst; ++i)
        authors_[dice_.below(publishers)]->publish([this](Point at) { stopper_(at); });
      step();
    }
    return 0;
  }

  int run_threads() {
    std::vector<std::jthread> threads;
    for (const auto& author : authors_) {
      threads.emplace_back([&author](const std::stop_token& stop) {
        while (!stop.stop_requested())
          author->publish([](Point) {});
      });
    }
    while (ledger_.sent_count.load() < sent_max)
      step();
    return 0;
  }

  int drain() {
    for (std::size_t i = 0; i < steps_of_a_drain_max; ++i) {
      step();
      std::uint64_t freed = 0;
      for (const auto& lane : lanes_)
        freed += lane->counters.freed.get();
      if (freed == recovered_.records) return 0;
    }
    return 1;
  }

  const LifeOrder& order_;
  Ledger& ledger_;
  Dice dice_;
  Stopper stopper_;
  journal::Journal journal_;
  journal::Recovered recovered_;
  handoff::TopicDirectory topics_;
  std::vector<std::unique_ptr<handoff::HandOff>> hand_offs_;
  NoLog log_;
  runtime::FencedClock clock_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  runtime::PublisherSlots slots_;
  runtime::PublishSide publish_side_{journal_, hand_offs_, slots_, record_bytes_max};
  std::vector<std::unique_ptr<Author>> authors_;
};

}  // namespace

int live(const LifeOrder& order, Ledger& ledger) {
  return Service{order, ledger}.run();
}

std::uint64_t digest_of_recovery(const std::string& path) {
  journal::Journal journal{path, journal_bytes};
  const journal::Recovered found = recover_with_topic(journal);
  std::uint64_t digest = 0;
  const auto fold = [&digest](std::uint64_t value) { digest = Dice{digest ^ value}.next(); };
  for (std::uint16_t i = 0; i < lanes; ++i) {
    fold(journal.next_seq({i}).value);
    for (const journal::RecoveredRecord& record : found.lanes[i]) {
      fold(record.record.value);
      fold(record.seq.value);
      fold(record.stamp.value);
      fold(record.submitted ? 1 : 0);
    }
  }
  fold(found.records);
  fold(found.torn);
  fold(found.foreign);
  fold(journal.used_segments());
  return digest;
}

}  // namespace spillway::crash
