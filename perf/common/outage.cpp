#include "perf/common/outage.hpp"

#include <charconv>
#include <csignal>
#include <exception>
#include <thread>
#include <utility>

#include "perf/common/report_lines.hpp"
#include "perf/common/toxiproxy.hpp"
#include "tools/spillway/command.hpp"

namespace spillway::perf {
namespace {

using namespace std::chrono_literals;
using program::CommandError;
using program::ExitCode;

constexpr auto script_is_over = 100ms;  // and takes no CPU from what comes now

pid_t broker_of(const program::StackControl& stack) {
  const std::string text = stack.run({"pid", "kafka"});
  pid_t broker = 0;
  std::from_chars(text.data(), text.data() + text.size(), broker);
  if (broker > 0) return broker;
  throw CommandError{ExitCode::unusable, "tools/stack pid kafka said " + text};
}

}  // namespace

std::string_view name_of(Fault fault) noexcept {
  switch (fault) {
    case Fault::killed:
      return "SIGKILL";
    case Fault::hung:
      return "SIGSTOP";
    case Fault::cut:
      return "connection cut";
  }
  return {};
}

Config reached_by(Fault fault, Config config) {
  if (fault == Fault::cut) config.kafka.bootstrap_servers = proxied_kafka();
  return config;
}

Outage::Outage(const program::StackControl& stack, Fault fault) : stack_{stack}, fault_{fault} {
  if (fault_ == Fault::cut) let_kafka_through(true);
}

Outage::~Outage() {
  try {
    end();
  } catch (const std::exception& error) {
    note(error.what());
  }
}

Clock::time_point Outage::begin() {
  if (fault_ != Fault::cut) broker_ = broker_of(stack_);
  await(Clock::now() + script_is_over);
  under_way_ = true;
  const auto now = Clock::now();
  if (fault_ == Fault::cut)
    let_kafka_through(false);
  else
    ::kill(broker_, fault_ == Fault::killed ? SIGKILL : SIGSTOP);
  return now;
}

void Outage::end() {
  if (!std::exchange(under_way_, false)) return;
  switch (fault_) {
    case Fault::killed:
      stack_.run({"start", "kafka", "--no-wait"});
      return;
    case Fault::hung:
      ::kill(broker_, SIGCONT);
      return;
    case Fault::cut:
      let_kafka_through(true);
      return;
  }
}

bool await_direct(const Pipeline& pipeline, Clock::duration for_so_long,
                  Clock::time_point deadline) {
  std::optional<Clock::time_point> since;
  while (Clock::now() < deadline) {
    const Metrics metrics = pipeline.counters();
    const auto now = Clock::now();
    if (!all_direct(metrics) || !metrics.servers.kafka_up)
      since.reset();
    else if (!since)
      since = now;
    else if (now - *since >= for_so_long)
      return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

}  // namespace spillway::perf
