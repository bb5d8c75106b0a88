// src/runtime/event.hpp: what a sleeping thread waits for, and others set.

#pragma once

#include <cerrno>
#include <string>
#include <system_error>

#include <sys/eventfd.h>
#include <unistd.h>

#include "spillway/error.hpp"

namespace spillway::runtime {

/// An eventfd: set until it is cleared. @thread any, but for clear(): the one that sleeps
class Event {
 public:
  /// `sleeper` names who waits, in the error. @throws StartError
  explicit Event(const std::string& sleeper)
      : descriptor_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    if (descriptor_ < 0) {
      throw StartError{sleeper + ": no eventfd: " + std::generic_category().message(errno) +
                       "; raise the limit of open files (ulimit -n)"};
    }
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { ::close(descriptor_); }

  void set() noexcept { ::eventfd_write(descriptor_, 1); }
  void clear() noexcept {
    eventfd_t count = 0;
    ::eventfd_read(descriptor_, &count);
  }
  /// Readable while it is set.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace spillway::runtime
