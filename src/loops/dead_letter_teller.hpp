// src/loops/dead_letter_teller.hpp: tells the host of each dead letter, and the log of them now and
// then.

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "core/ids.hpp"
#include "core/position.hpp"
#include "core/time.hpp"
#include "ports/broker.hpp"
#include "ports/log.hpp"
#include "spillway/config.hpp"

namespace spillway::loops {

/// A letter that is stored. Views end with the call.
struct StoredLetter {
  core::StreamId stream;
  core::Seq seq;
  std::string_view topic;
  std::optional<ports::Bytes> key;
  std::optional<ports::Bytes> payload;
  const char* error = "";
};

/// @thread that of its loop
class DeadLetterTeller {
 public:
  DeadLetterTeller(ports::Log& log, std::function<void(const DeadLetter&)> hook)
      : log_{log}, hook_{std::move(hook)} {}

  void tell(const StoredLetter& letter, core::Instant now) {
    core::PositionText text;
    const std::string_view position = core::format_position(letter.stream, letter.seq, text);
    ++untold_;
    // A topic that is gone makes a letter of each message: one line for all of some seconds.
    if (!told_at_ || now - *told_at_ >= one_line_in) {
      log_.write(LogLevel::warning, std::to_string(std::exchange(untold_, 0)) +
                                        " dead letters; the last, " + std::string{position} +
                                        " of topic " + std::string{letter.topic} + ": " +
                                        letter.error);
      told_at_ = now;
    }
    if (!hook_) return;
    hook_({.topic = letter.topic,
           .key = letter.key,
           .payload = letter.payload,
           .position = position,
           .error = letter.error});
  }

 private:
  static constexpr core::Duration one_line_in = std::chrono::seconds{10};

  ports::Log& log_;
  std::function<void(const DeadLetter&)> hook_;
  std::optional<core::Instant> told_at_;
  std::size_t untold_ = 0;
};

}  // namespace spillway::loops
