#include "perf/common/open_loop.hpp"

#include <algorithm>

#include "tools/spillway/command.hpp"
#include "tools/spillway/text.hpp"

namespace spillway::perf {
namespace {

using namespace std::chrono_literals;
using program::CommandError;
using program::ExitCode;

constexpr auto start_delay = 2ms;
constexpr auto report_within = 30s;
constexpr std::size_t sends_between_looks = 16;
// The rate is held when the calls keep up, and the acks with them.
constexpr double rate_share_min = 0.98;
constexpr auto last_ack_within = 100ms;

Clock::time_point from_tag(std::uint64_t tag) {
  return Clock::time_point{Clock::duration{static_cast<Clock::rep>(tag)}};
}

std::uint64_t tag_of(Clock::time_point due) {
  return static_cast<std::uint64_t>(due.time_since_epoch().count());
}

}  // namespace

OpenLoop::OpenLoop(const Config& config, Clock::duration look_every)
    : content_{Workload{}},
      look_every_{look_every},
      run_topic_{config.kafka, "latency", 1},
      ours_{config, 1, run_topic_.name()},
      publisher_{ours_.pipeline().publisher()},
      raw_{config.kafka, run_topic_.name(), RawSettings{}, [this](std::uint64_t tag) {
             if (raw_acks_ != nullptr) raw_acks_->count(Clock::now() - from_tag(tag));
           }} {
  sharpen_sleeps();
}

std::optional<OpenLoopReading> OpenLoop::run(Side side, double per_second, double seconds) {
  void_reason_.clear();
  OpenLoopReading reading;
  const Pace pace{.pacer = {Clock::now() + start_delay, per_second},
                  .messages = static_cast<std::uint64_t>(per_second * seconds),
                  .per_second = per_second};
  if (side == Side::ours) {
    publish_all(pace, reading);
  } else {
    send_all_raw(pace, reading);
  }
  if (!void_reason_.empty()) return std::nullopt;
  return reading;
}

// `send(n, due)` → sent, false when there is no room; `look()` → acks still owed.
template <class Send, class Look>
void OpenLoop::send_all(const Pace& pace, OpenLoopReading& reading, Send send, Look look) {
  const Clock::time_point last_due = pace.pacer.due(pace.messages - 1);
  Clock::time_point sent_all{};
  for (std::uint64_t n = 0;;) {
    auto now = Clock::now();
    for (std::size_t burst = 0; n < pace.messages && burst < sends_between_looks; ++burst) {
      const Clock::time_point due = pace.pacer.due(n);
      if (due > now) break;
      if (!send(n, due)) break;
      reading.start_delay.count(now - due);
      if (++n == pace.messages) sent_all = Clock::now();
      now = Clock::now();
    }
    const std::size_t owed = look();
    if (n == pace.messages && owed == 0) break;
    if (now > last_due + report_within)
      throw CommandError{ExitCode::unusable, "not all was acked within 30 s"};
    const auto next = n < pace.messages ? pace.pacer.due(n) : now + look_every_;
    if (next > now) std::this_thread::sleep_for(std::min(next - now, look_every_));
  }
  const auto acked_all = Clock::now();
  const double took = std::chrono::duration<double>(sent_all - pace.pacer.due(0)).count();
  const double reached = static_cast<double>(pace.messages) / took;
  if (reached < rate_share_min * pace.per_second) {
    void_reason_ = "rate not held: " + program::grouped(static_cast<std::uint64_t>(reached)) +
                   "/s of " + program::grouped(static_cast<std::uint64_t>(pace.per_second)) + "/s";
  } else if (acked_all - last_due > last_ack_within) {
    void_reason_ = "rate not held: the last ack came " +
                   program::short_time(static_cast<std::uint64_t>(
                       std::chrono::nanoseconds{acked_all - last_due}.count())) +
                   " after the last message was due";
  }
}

void OpenLoop::publish_all(const Pace& pace, OpenLoopReading& reading) {
  ours_.mark();
  send_all(
      pace, reading,
      [this](std::uint64_t n, Clock::time_point due) {
        const PublishResult result =
            publisher_.publish(ours_.topic(), content_.key(content_.turn(n)), content_.payload());
        if (result) unsettled_.emplace_back(*result.ticket(), due);
        return static_cast<bool>(result);
      },
      [this, &reading] {
        constexpr Deadline at_once{};
        while (!unsettled_.empty()) {
          const auto& [ticket, due] = unsettled_.front();
          if (ours_.pipeline().wait(ticket, at_once) == Outcome::pending) break;
          reading.ack.count(Clock::now() - due);
          unsettled_.pop_front();
        }
        return unsettled_.size();
      });
  if (const auto detour = ours_.detour(pace.messages)) void_reason_ = *detour;
}

void OpenLoop::send_all_raw(const Pace& pace, OpenLoopReading& reading) {
  raw_acks_ = &reading.ack;
  const std::uint64_t failed_before = raw_.failed();
  const std::uint64_t reports_before = raw_.acked() + failed_before;
  std::uint64_t sent = 0;
  send_all(
      pace, reading,
      [&](std::uint64_t n, Clock::time_point due) {
        const bool is_sent =
            raw_.send(content_.key(content_.turn(n)), content_.payload(), tag_of(due));
        if (is_sent) ++sent;
        return is_sent;
      },
      [&] {
        raw_.poll(0ms);
        return sent - (raw_.acked() + raw_.failed() - reports_before);
      });
  raw_acks_ = nullptr;
  if (raw_.failed() != failed_before) void_reason_ = "messages of the baseline failed";
}

}  // namespace spillway::perf
