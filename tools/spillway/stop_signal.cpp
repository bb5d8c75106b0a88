#include "stop_signal.hpp"

#include <ctime>

namespace spillway::program {

StopSignal::StopSignal() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
}

StopSignal::~StopSignal() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool StopSignal::wait_for(std::chrono::milliseconds timeout) noexcept {
  if (came_) return true;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const std::chrono::nanoseconds rest = timeout - seconds;
  const timespec wait{.tv_sec = seconds.count(), .tv_nsec = rest.count()};
  if (sigtimedwait(&signals_, nullptr, &wait) < 0) return false;
  came_ = true;
  pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
  return true;
}

}  // namespace spillway::program
