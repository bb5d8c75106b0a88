// tests/support/eventually.hpp: waits for a condition, with a deadline.

#pragma once

#include <chrono>
#include <thread>

namespace spillway::test {

/// False: it did not come true within that time. Looks every ten milliseconds: what is waited for
/// needs the CPU too.
template <class Condition>
[[nodiscard]] bool eventually(std::chrono::milliseconds within, Condition is_so) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return true;
}

}  // namespace spillway::test
