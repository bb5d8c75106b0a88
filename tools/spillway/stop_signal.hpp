// tools/spillway/stop_signal.hpp: SIGTERM and SIGINT as something to wait for.

#pragma once

#include <chrono>
#include <csignal>

namespace spillway::program {

/// Holds both signals back from its making on, in this thread and in all that it starts later: make
/// it before a Pipeline or a Relay. @thread the main thread
class StopSignal {
 public:
  StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  ~StopSignal();

  /// True once one has come; from then on a second one ends the program at once, as usual.
  /// @blocks until then, or until `timeout` has passed
  [[nodiscard]] bool wait_for(std::chrono::milliseconds timeout) noexcept;

 private:
  sigset_t signals_{};
  sigset_t before_{};
  bool came_ = false;
};

}  // namespace spillway::program
