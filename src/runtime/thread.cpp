#include "runtime/thread.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

namespace spillway::runtime {
namespace {

constexpr unsigned yields_before_parking = 8;
constexpr core::Duration park_first = std::chrono::microseconds{20};

void block_signals() noexcept {
  sigset_t all;
  sigfillset(&all);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    sigdelset(&all, fault);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

void pin_to(unsigned cpu) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  // A CPU that is gone meanwhile: the thread runs where it may.
  static_cast<void>(::pthread_setaffinity_np(::pthread_self(), sizeof set, &set));
}

}  // namespace

Thread::Thread(std::string name, std::optional<unsigned> cpu,
               std::function<void(std::stop_token)> body)
    : thread_{[name = std::move(name), cpu, body = std::move(body)](const std::stop_token& stop) {
        block_signals();
        ::pthread_setname_np(::pthread_self(), name.c_str());
        ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL,
                0UL);  // of this thread: else 50 us on every sleep
        if (cpu) pin_to(*cpu);
        body(stop);
      }} {}

void wait_for(std::span<pollfd> wanted, core::Duration at_most) noexcept {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at_most);
  const timespec timeout{.tv_sec = seconds.count(), .tv_nsec = (at_most - seconds).count()};
  for (pollfd& each : wanted)
    each.revents = 0;
  static_cast<void>(::ppoll(wanted.data(), wanted.size(), &timeout, nullptr));
}

std::size_t usable_cpus() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
}

void Idler::after(std::size_t work) noexcept {
  if (work != 0) {
    yields_ = 0;
    park_ = park_first;
    return;
  }
  if (yields_ < yields_before_parking) {
    ++yields_;
    std::this_thread::yield();
    return;
  }
  std::this_thread::sleep_for(park_);
  park_ = std::min(2 * park_, park_max_);
}

}  // namespace spillway::runtime
