// tests/support/process_shape.hpp: the threads and descriptors of this process: a leak of either is
// a bug.

#pragma once

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace spillway::test {

struct ProcessShape {
  std::size_t threads = 0;
  std::size_t descriptors = 0;

  friend bool operator==(const ProcessShape&, const ProcessShape&) = default;

  static ProcessShape now() {
    return {.threads = entries("/proc/self/task"), .descriptors = entries("/proc/self/fd")};
  }

 private:
  static std::size_t entries(const char* directory) {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator{directory}, {}));
  }
};

}  // namespace spillway::test
