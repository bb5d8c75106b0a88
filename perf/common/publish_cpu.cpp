#include "perf/common/publish_cpu.hpp"

#include <atomic>
#include <chrono>
#include <latch>
#include <thread>

#include <time.h>

#include "tools/spillway/command.hpp"

namespace spillway::perf {
namespace {

using namespace std::chrono_literals;
using program::CommandError;
using program::ExitCode;

constexpr std::size_t calls = 100'000;  // of all publishers; the journal has room for them
constexpr std::size_t mebibyte = std::size_t{1} << 20;
constexpr std::size_t calls_bytes_max = 64 * mebibyte;

// Each publisher has a segment of 1 MiB of its own.
Config with_room_for(Config config, std::size_t publishers) {
  config.journal.size_bytes = calls_bytes_max + 2 * publishers * mebibyte;
  return config;
}

std::int64_t thread_cpu_ns() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::int64_t{1'000'000'000} * used.tv_sec + used.tv_nsec;
}

}  // namespace

PublishCpu::PublishCpu(const Config& config, std::size_t publishers_max)
    : content_{Workload{}},
      run_topic_{config.kafka, "publish-cpu", 1},
      ours_{with_room_for(config, publishers_max), 1, run_topic_.name()} {
  for (std::size_t i = 0; i < publishers_max; ++i)
    publishers_.push_back(ours_.pipeline().publisher());
}

std::optional<double> PublishCpu::run(std::size_t publishers) {
  const std::size_t calls_each = calls / publishers;
  std::atomic<std::int64_t> cpu_ns = 0;
  std::atomic<bool> refused = false;
  {
    std::latch all_there{static_cast<std::ptrdiff_t>(publishers)};
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < publishers; ++i) {
      threads.emplace_back([&, i] {
        all_there.arrive_and_wait();
        const std::int64_t before = thread_cpu_ns();
        for (std::size_t n = 0; n < calls_each; ++n) {
          if (!publishers_[i].publish(ours_.topic(), content_.key(content_.turn(n)),
                                      content_.payload()))
            refused.store(true, std::memory_order_relaxed);
        }
        cpu_ns.fetch_add(thread_cpu_ns() - before, std::memory_order_relaxed);
      });
    }
  }
  if (!ours_.pipeline().flush(std::chrono::steady_clock::now() + 30s))
    throw CommandError{ExitCode::unusable, "not all was settled in 30 s"};
  if (refused) return std::nullopt;
  return static_cast<double>(cpu_ns) / static_cast<double>(calls_each * publishers);
}

}  // namespace spillway::perf
