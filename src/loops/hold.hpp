// src/loops/hold.hpp: what a lane holds: the records that Kafka's client had when feeding stopped.
//
// They stay in the window until they are released. A copy of each goes to the outbox meanwhile;
// what becomes of the copies follows from the reports. It decides nothing about records without a
// copy.

#pragma once

#include <cstddef>

#include "core/window.hpp"
#include "loops/writer_link.hpp"
#include "loops/writer_messages.hpp"

namespace spillway::loops {

class Hold {
 public:
  explicit Hold(core::Window& window) noexcept : window_{window} {}

  /// Of all that is in the window, if anything is; returns how many.
  std::size_t begin() noexcept;
  [[nodiscard]] bool is_on() const noexcept { return is_on_; }

  /// The next one that needs a copy; null when none does, or a release is under way.
  [[nodiscard]] const core::InFlight* next_to_copy() noexcept;
  /// The job for it, which the caller sends.
  [[nodiscard]] AskedJob copy_next() noexcept;
  /// The writer has given it back.
  void on_copy_withdrawn(std::size_t window_index) noexcept;
  [[nodiscard]] bool has_copies() const noexcept { return next_copy_ != 0; }

  /// Every report is in, and no release is under way.
  [[nodiscard]] bool awaits_release() const noexcept {
    return is_on_ && !release_asked_ && window_.open() == 0;
  }
  /// What the outbox has to do with the copies; `held_through` 0: there are none.
  [[nodiscard]] ReleaseOrder release_order() const;
  void on_release_asked() noexcept { release_asked_ = true; }
  void on_release_withdrawn() noexcept { release_asked_ = false; }

  /// Empties the window.
  void end() noexcept;

 private:
  core::Window& window_;
  bool is_on_ = false;
  std::size_t next_copy_ = 0;  // in the window: what is before it is copied, or needs no copy
  bool release_asked_ = false;
};

}  // namespace spillway::loops
