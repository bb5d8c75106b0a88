#include "perf/common/held_bytes.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <exception>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

#include "perf/common/our_side.hpp"
#include "perf/common/raw_producer.hpp"
#include "perf/common/report_lines.hpp"
#include "perf/common/run_topic.hpp"
#include "perf/common/workload.hpp"
#include "tools/spillway/command.hpp"

namespace spillway::perf {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using program::CommandError;
using program::ExitCode;
using program::StackControl;

constexpr std::size_t mebibyte = std::size_t{1} << 20;
constexpr std::size_t key_bytes = 16;
constexpr std::size_t warm_up_messages = 1'000;
constexpr std::size_t published_at_once = 10'000;
constexpr auto settle_within = 60s;
constexpr auto quiet_time = 1s;

// Else a request without an answer ends the connection, and with it the direct path.
const std::map<std::string, std::string> patience{{"socket.timeout.ms", "60000"}};

class Paused {
 public:
  explicit Paused(const StackControl& stack) : stack_{stack} { stack_.run({"pause", "kafka"}); }
  Paused(const Paused&) = delete;
  Paused& operator=(const Paused&) = delete;
  ~Paused() {
    try {
      stack_.run({"resume", "kafka"});
    } catch (const std::exception& error) {
      note(error.what());
    }
  }

 private:
  const StackControl& stack_;
};

double heap_bytes() {
  std::ifstream status{"/proc/self/status"};
  for (std::string name; status >> name;) {
    double kibibytes = 0;
    if (name == "RssAnon:" && status >> kibibytes) return kibibytes * 1024;
  }
  throw CommandError{ExitCode::unusable, "/proc/self/status tells no RssAnon"};
}

// Once it grows no more: what was published is with librdkafka by then.
double settled_heap_bytes() {
  constexpr double still = 1.001;  // a client's statistics come and go
  double before = 0;
  double now = heap_bytes();
  while (now > still * before) {
    std::this_thread::sleep_for(quiet_time);
    before = std::exchange(now, heap_bytes());
  }
  return now;
}

Config with_room_for(Config config, std::size_t messages) {
  constexpr std::size_t record_bytes = 320;
  config.kafka.properties.insert(patience.begin(), patience.end());
  config.lanes.failover_after = 60s;
  config.lanes.window_records = std::max(messages, config.lanes.window_records);
  config.lanes.window_bytes = record_bytes * messages + 16 * mebibyte;
  config.journal.size_bytes = (2 * config.lanes.window_bytes / mebibyte + 16) * mebibyte;
  return config;
}

[[noreturn]] void give_up(const std::string& what) {
  throw CommandError{ExitCode::unusable, what};
}

HeldBytes hold_ours(const Config& config, const StackControl& stack, const std::string& topic,
                    std::size_t messages) {
  const Content content{Workload{}};
  OurSide ours{with_room_for(config, messages), 1, topic};
  Publisher publisher = ours.pipeline().publisher();
  const auto publish = [&](std::size_t count) {
    for (std::size_t n = 0; n < count; ++n) {
      if (!publisher.publish(ours.topic(), content.key(content.turn(n)), content.payload()))
        give_up("the journal has no room for the messages that are to be held");
    }
  };
  publish(warm_up_messages);
  if (!ours.pipeline().flush(Clock::now() + settle_within)) give_up("Kafka does not answer");

  const Metrics before = ours.pipeline().counters();
  const double heap_before = heap_bytes();
  HeldBytes held;
  {
    const Paused paused{stack};
    // By and by: a queue that grew since the lane was behind is not what is in flight.
    const auto deadline = Clock::now() + settle_within;
    for (std::size_t published = 0; published < messages;) {
      publish(published_at_once);
      published += published_at_once;
      while (ours.pipeline().counters().lanes[0].accepted < before.lanes[0].accepted + published) {
        if (Clock::now() >= deadline) give_up("the lane does not take the messages over");
        std::this_thread::sleep_for(100us);
      }
    }
    const auto count = static_cast<double>(messages);
    held.heap = (settled_heap_bytes() - heap_before) / count;
    const Metrics now = ours.pipeline().counters();
    if (now.lanes[0].trips != before.lanes[0].trips)
      give_up("the lane has tripped, and the messages are not with librdkafka any more");
    held.journal = static_cast<double>(now.journal_used_bytes - before.journal_used_bytes) / count;
  }
  held.beyond =
      held.heap + held.journal - static_cast<double>(content.payload().size() + key_bytes);
  // A broker that was away for so long may close its connections; then the outbox takes some.
  if (!ours.pipeline().flush(Clock::now() + settle_within)) give_up("Kafka does not answer");
  return held;
}

// Its payloads are one and the same, and so not in its heap; the keys are, as copies.
HeldBytes hold_raw(const Config& config, const StackControl& stack, const std::string& topic,
                   std::size_t messages) {
  const Content content{Workload{}};
  RawProducer raw{
      config.kafka, topic, {.in_flight_max = messages + warm_up_messages, .properties = patience}};
  const auto send = [&](std::size_t count) {
    for (std::size_t n = 0; n < count; ++n) {
      if (!raw.send(content.key(content.turn(n)), content.payload()))
        give_up("librdkafka has no room for the messages that are to be held");
    }
  };
  send(warm_up_messages);
  if (!raw.drain(Clock::now() + settle_within)) give_up("Kafka does not answer");

  const double heap_before = heap_bytes();
  HeldBytes held;
  {
    const Paused paused{stack};
    send(messages);
    held.heap = (settled_heap_bytes() - heap_before) / static_cast<double>(messages);
  }
  held.beyond = held.heap - static_cast<double>(key_bytes);
  if (!raw.drain(Clock::now() + settle_within)) give_up("Kafka does not answer");
  return held;
}

[[noreturn]] void be_the_child(int answer, const Config& config, const StackControl& stack,
                               Side side, std::size_t messages) {
  try {
    const RunTopic topic{config.kafka, "held", 1};
    const HeldBytes held = side == Side::ours ? hold_ours(config, stack, topic.name(), messages)
                                              : hold_raw(config, stack, topic.name(), messages);
    static_cast<void>(::write(answer, &held, sizeof held));
  } catch (const std::exception& error) {
    note(error.what());
  }
  ::_exit(0);
}

}  // namespace

HeldBytes measure_held_bytes(const Config& config, const StackControl& stack, Side side,
                             std::size_t messages) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) give_up("no pipe");
  const pid_t child = ::fork();
  if (child < 0) give_up("no process");
  if (child == 0) be_the_child(ends.back(), config, stack, side, messages);
  ::close(ends.back());
  HeldBytes held;
  const bool answered = ::read(ends.front(), &held, sizeof held) == sizeof held;
  ::close(ends.front());
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (answered) return held;
  stack.run({"resume", "kafka"});  // the child may have died in between
  give_up("what is in flight could not be measured");
}

}  // namespace spillway::perf
