// tests/support/driving.hpp: turns a poll() until what a test waits for comes, or its time is over.

#pragma once

#include <chrono>
#include <thread>

#include "core/time.hpp"

namespace spillway::testing {

[[nodiscard]] inline core::Instant real_now() {
  return core::Instant{std::chrono::steady_clock::now().time_since_epoch()};
}

/// False: it did not come within the time.
template <class Condition>
[[nodiscard]] bool eventually(core::Duration within, Condition condition) {
  const core::Instant deadline = real_now() + within;
  while (!condition()) {
    if (real_now() >= deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

/// The next event that is not `none`; a default one if none came within the time.
template <class Store>
[[nodiscard]] auto next_event(Store& store, core::Duration within = std::chrono::seconds{10}) {
  auto event = store.poll(real_now());
  [[maybe_unused]] const bool came = eventually(within, [&] {
    if (event.kind == decltype(event.kind)::none) event = store.poll(real_now());
    return event.kind != decltype(event.kind)::none;
  });
  return event;
}

}  // namespace spillway::testing
