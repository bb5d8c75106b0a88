#include "perf/common/saturation.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "perf/common/cpu_time.hpp"
#include "tools/spillway/command.hpp"

namespace spillway::perf {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using program::CommandError;
using program::ExitCode;

constexpr auto report_within = 30s;
constexpr std::uint64_t sends_between_polls = 512;

// A full window waits tens of milliseconds for Kafka: production's patience, lest the lane trip.
// Each publisher fills a segment of 1 MiB of its own, and the journal has to hold more than these.
Config for_saturation(Config config, std::size_t publishers) {
  config.lanes.failover_after = preset(Environment::production).lanes.failover_after;
  const std::size_t needed = (std::size_t{4} << 20) * publishers;
  config.journal.size_bytes = std::max(config.journal.size_bytes, needed);
  return config;
}

// Share `index` of `publishers` in `messages`.
template <class Publish>
void publish_on_threads(std::size_t publishers, std::uint64_t messages, Publish publish) {
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < publishers; ++i) {
    threads.emplace_back(
        [=, &publish] { publish(i, messages * i / publishers, messages * (i + 1) / publishers); });
  }
}

}  // namespace

Saturation::Saturation(const Config& config, const Workload& workload)
    : workload_{workload},
      content_{workload},
      run_topic_{config.kafka, "saturation", workload.partitions},
      ours_{for_saturation(config, workload.publishers), workload.lanes, run_topic_.name()} {
  for (std::size_t i = 0; i < workload.publishers; ++i)
    publishers_.push_back(ours_.pipeline().publisher());
  // As many bytes as the journal holds.
  const std::string kbytes = std::to_string(config.journal.size_bytes / 1024);
  for (unsigned i = 0; i < workload.lanes; ++i) {
    raw_.push_back(std::make_unique<RawProducer>(
        config.kafka, run_topic_.name(),
        RawSettings{.with_header = workload.baseline_has_header,
                    .properties = {{"queue.buffering.max.kbytes", kbytes}}}));
  }
}

std::optional<Throughput> Saturation::run(Side side, std::size_t messages) {
  void_reason_.clear();
  const double cpu_before = cpu_seconds();
  const auto begun = Clock::now();
  if (side == Side::ours) {
    publish_all(messages);
  } else {
    send_all(messages);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  const double cpu = cpu_seconds() - cpu_before;
  if (!void_reason_.empty()) return std::nullopt;
  const auto count = static_cast<double>(messages);
  return Throughput{.per_second = count / seconds, .cpu_ns_each = cpu * 1e9 / count};
}

void Saturation::publish_all(std::size_t messages) {
  ours_.mark();
  publish_on_threads(workload_.publishers, messages,
                     [this](std::size_t index, std::uint64_t from, std::uint64_t to) {
                       publish(publishers_[index], from, to);
                     });
  if (!ours_.pipeline().flush(Clock::now() + report_within))
    throw CommandError{ExitCode::unusable, "not all was settled in 30 s"};
  void_reason_ = ours_.detour(messages).value_or("");
}

void Saturation::publish(Publisher& publisher, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t n = from; n < to; ++n) {
    const Envelope envelope{.topic = ours_.topic(),
                            .key = content_.key(content_.turn(n)),
                            .payload = content_.payload()};
    // One that finds no room for so long leaves a gap, which `delivered` tells.
    if (!publisher.publish_within(report_within, envelope)) return;
  }
}

void Saturation::send_all(std::size_t messages) {
  const auto failed_in_all = [this] {
    std::uint64_t failed = 0;
    for (const auto& raw : raw_)
      failed += raw->failed();
    return failed;
  };
  const std::uint64_t failed_before = failed_in_all();
  publish_on_threads(workload_.publishers, messages,
                     [this](std::size_t, std::uint64_t from, std::uint64_t to) { send(from, to); });
  for (const auto& raw : raw_) {
    if (!raw->drain(Clock::now() + report_within))
      throw CommandError{ExitCode::unusable, "the baseline has no report after 30 s"};
  }
  if (failed_in_all() != failed_before) void_reason_ = "messages of the baseline failed";
}

void Saturation::send(std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t n = from; n < to; ++n) {
    const std::size_t turn = content_.turn(n);
    RawProducer& raw = *raw_[turn % raw_.size()];
    while (!raw.send(content_.key(turn), content_.payload()))
      raw.poll(1ms);
    if (n % sends_between_polls == 0) {
      for (const auto& each : raw_)
        each->poll(0ms);
    }
  }
}

}  // namespace spillway::perf
