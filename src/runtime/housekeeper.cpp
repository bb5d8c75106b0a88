#include "runtime/housekeeper.hpp"

#include <algorithm>
#include <utility>

#include "adapters/kafka/topic_resolver.hpp"
#include "runtime/clock.hpp"
#include "spillway/error.hpp"

namespace spillway::runtime {
namespace {

using handoff::TopicStanding;
using kafka::TopicStatus;

constexpr std::chrono::milliseconds one_question{1'000};
constexpr std::chrono::milliseconds one_priming{100};
constexpr std::chrono::milliseconds one_hurry{50};
constexpr core::Duration hurry_every = std::chrono::milliseconds{10};
constexpr core::Duration ask_again = std::chrono::milliseconds{100};
/// An existing topic's limit may be changed by its operator.
constexpr core::Duration look_again = std::chrono::seconds{10};
/// A broker that is starting answers before it knows its topics.
constexpr core::Duration missing_for = std::chrono::milliseconds{1'500};
constexpr core::Duration step_every = std::chrono::milliseconds{2};
constexpr std::uint32_t default_message_bytes = 1'048'588;

}  // namespace

std::unique_ptr<ports::Broker> BrokerDesk::take() noexcept {
  std::unique_ptr<ports::Broker> broker;
  static_cast<void>(made_.receive(broker));
  return broker;
}

void BrokerDesk::retire(std::unique_ptr<ports::Broker> broker) noexcept {
  retired_.send(std::move(broker));
}

Housekeeper::Housekeeper(kafka::BrokerSettings settings, ports::Log& log)
    : settings_{std::move(settings)}, log_{log} {}

void Housekeeper::start() {
  thread_ =
      std::make_unique<Thread>("sw-housekeeper", std::nullopt, [this](const std::stop_token& stop) {
        Idler idler{step_every};
        while (!stop.stop_requested())
          idler.after(step(now()));
      });
}

void Housekeeper::stop() noexcept {
  if (!thread_) return;
  thread_->request_stop();
  thread_->join();
  static_cast<void>(make_and_end());
}

std::size_t Housekeeper::step(core::Instant now) {
  return make_and_end() + hurry_cold_producers(now) + ask(now);
}

// ---- Producers ----

std::size_t Housekeeper::make_and_end() {
  std::size_t work = 0;
  for (BrokerDesk* const desk : broker_desks_) {
    std::unique_ptr<ports::Broker> retired;
    while (desk->retired_.receive(retired)) {
      std::erase_if(brokers_, [&retired](const auto* broker) { return broker == retired.get(); });
      retired.reset();
      ++work;
    }
    std::size_t batch_bytes_max = 0;
    while (desk->orders_.receive(batch_bytes_max)) {
      make(*desk, batch_bytes_max);
      ++work;
    }
  }
  return work;
}

void Housekeeper::make(BrokerDesk& desk, std::size_t batch_bytes_max) {
  kafka::BrokerSettings settings = settings_;
  settings.batch_bytes_max = batch_bytes_max;
  settings.in_batches = desk.report_event_ >= 0;  // a relay's
  try {
    auto broker = kafka::KafkaBroker::make(settings, log_);
    if (desk.report_event_ >= 0) broker->notify_on_report(desk.report_event_);
    brokers_.push_back(broker.get());
    desk.made_.send(std::move(broker));
  } catch (const StartError& error) {
    // The settings were checked at start, so it is this moment: no memory, no thread. Tried again.
    if (std::exchange(make_error_, error.what()) != error.what())
      log_.write(LogLevel::error, make_error_);
    desk.orders_.send(batch_bytes_max);
  }
}

// A producer without its id asks for one each 500 ms, and with each answer about metadata. Those of
// a warm one would only stand before its records: a connection has five requests in flight at most.
std::size_t Housekeeper::hurry_cold_producers(core::Instant now) {
  if (now - hurried_at_ < hurry_every) return 0;
  hurried_at_ = now;
  std::size_t hurried = 0;
  for (kafka::KafkaBroker* const broker : brokers_) {
    if (!broker->waits_for_its_id()) continue;
    static_cast<void>(kafka::TopicResolver{*broker}.kick_metadata(one_hurry));
    ++hurried;
  }
  return hurried;
}

// ---- Topics ----

std::size_t Housekeeper::ask(core::Instant now) {
  std::size_t work = 0;
  for (TopicDesk* const desk : topic_desks_) {
    loops::TopicQuestion question;
    while (desk->questions_.receive(question)) {
      const bool is_known = desk->directory_.get(question.topic).standing == TopicStanding::exists;
      desk->topics_[question.topic.value] = {.name = std::move(question.name),
                                             .ask_at = is_known ? now + look_again : now};
    }
    if (brokers_.empty()) continue;
    for (auto& [index, topic] : desk->topics_) {
      const bool is_doubted = desk->directory_.get({index}).standing == TopicStanding::unasked &&
                              topic.ask_at > now + ask_again;
      if (now < topic.ask_at && !is_doubted) continue;
      ask_about(*desk, index, topic, now);
      ++work;
      break;  // One question a turn: producers that are ordered meanwhile must not wait for all.
    }
  }
  return work;
}

void Housekeeper::ask_about(TopicDesk& desk, std::uint16_t index, TopicDesk::Topic& topic,
                            core::Instant now) {
  const kafka::TopicAnswer answer =
      kafka::TopicResolver{*brokers_.front()}.resolve(topic.name, one_question);
  const core::TopicIndex at{index};
  const handoff::TopicFacts before = desk.directory_.get(at);
  handoff::TopicFacts facts = before;
  topic.ask_at = runtime::now() + ask_again;
  switch (answer.status) {
    case TopicStatus::exists:
      facts.standing = TopicStanding::exists;
      facts.message_bytes_max =
          static_cast<std::uint32_t>(answer.message_bytes_max.value_or(default_message_bytes));
      topic.ask_at = runtime::now() + look_again;
      topic.missing_since = {};
      if (before.standing != TopicStanding::exists) prime_everywhere(topic.name);
      break;
    case TopicStatus::missing:
    case TopicStatus::not_a_name:
      // What exists stays so: records that meet its end are reported one by one.
      if (before.standing == TopicStanding::exists) break;
      if (topic.missing_since == core::Instant{}) topic.missing_since = now;
      if (now - topic.missing_since >= missing_for) facts.standing = TopicStanding::missing;
      break;
    case TopicStatus::not_authorized:
      if (before.standing != TopicStanding::exists) facts.standing = TopicStanding::forbidden;
      break;
    case TopicStatus::unknown:
      // Kafka has enough to do when it is back.
      if (before.standing == TopicStanding::exists) topic.ask_at = runtime::now() + look_again;
      break;
  }
  const std::lock_guard lock{answered_mutex_};
  desk.directory_.set(at, facts);
  if (facts.standing == TopicStanding::exists) tell_all(topic.name, facts);
  answered_.notify_all();
}

// What a lane's refusal has brought to light, the relay need not find out by another.
void Housekeeper::tell_all(const std::string& name, const handoff::TopicFacts& facts) {
  for (TopicDesk* const desk : topic_desks_) {
    for (const auto& [index, topic] : desk->topics_) {
      if (topic.name == name) desk->directory_.set({index}, facts);
    }
  }
}

// A producer's first record for a topic must not wait for its leaders' names.
void Housekeeper::prime_everywhere(const std::string& name) {
  for (kafka::KafkaBroker* const broker : brokers_) {
    static_cast<void>(kafka::TopicResolver{*broker}.prime(name, one_priming));
  }
}

TopicStanding Housekeeper::wait_for(const handoff::TopicDirectory& directory,
                                    core::TopicIndex topic,
                                    std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock{answered_mutex_};
  static_cast<void>(answered_.wait_until(lock, deadline, [&directory, topic] {
    return directory.get(topic).standing != TopicStanding::unasked;
  }));
  return directory.get(topic).standing;
}

}  // namespace spillway::runtime
