// src/runtime/wakeup_fan.hpp: who is told of a COMMIT: this process's relay, and by Redis the
// others.

#pragma once

#include "ports/wakeup_channel.hpp"
#include "runtime/relay_runner.hpp"

namespace spillway::runtime {

class WakeupFan final : public ports::WakeupSender {
 public:
  explicit WakeupFan(ports::WakeupSender& others) noexcept : others_{others} {}

  /// Before the first notify(); `own` must outlive the last.
  void tell_too(RelayRunner& own) noexcept { own_ = &own; }

  void notify() noexcept override {
    if (own_ != nullptr) own_->nudge();
    others_.notify();
  }
  void poll(core::Instant now) noexcept override { others_.poll(now); }
  [[nodiscard]] bool is_up() const noexcept override { return others_.is_up(); }

 private:
  ports::WakeupSender& others_;
  RelayRunner* own_ = nullptr;
};

}  // namespace spillway::runtime
