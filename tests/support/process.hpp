// tests/support/process.hpp: programs that a test runs beside itself, and kills.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace spillway::test {

/// Runs from the constructor on; killed with the test, however that ends.
class Process {
 public:
  /// `words`: the file, then its arguments. What it prints is kept in memory.
  /// @throws std::runtime_error
  explicit Process(std::vector<std::string> words);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  void signal(int number) const noexcept;
  /// SIGKILL, and waits until it is gone.
  void kill() noexcept;
  /// Its exit code, or 128 and the signal that ended it; nothing when it still runs after that
  /// time.
  [[nodiscard]] std::optional<int> ended_within(std::chrono::milliseconds time);
  /// What it has printed so far, on both streams.
  [[nodiscard]] std::string output() const;

 private:
  void await(int options) noexcept;

  std::string name_;
  int output_ = -1;
  pid_t pid_ = 0;
  std::optional<int> ended_;
};

/// Runs it to its end. @throws std::runtime_error with what it printed, unless it ends with 0
std::string run(std::vector<std::string> words);

/// The program `spillway` of this build. @throws std::runtime_error when SPILLWAY_PROGRAM is not
/// set
[[nodiscard]] std::string spillway_program();

}  // namespace spillway::test
