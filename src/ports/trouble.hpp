// src/ports/trouble.hpp: says a trouble when it is new, and once when it is over.
//
// A server that is away is tried for hours; a log line for each try would hide the ones that
// matter.

#pragma once

#include <string>
#include <string_view>

#include "ports/log.hpp"

namespace spillway::ports {

class Trouble {
 public:
  explicit Trouble(Log& log) noexcept : log_{log} {}

  /// Writes `text` unless it was the last one written.
  void is(LogLevel level, std::string_view text) {
    if (last_ == text) return;
    last_ = text;
    log_.write(level, text);
  }
  /// Writes `text` if there was trouble.
  void is_over(std::string_view text) {
    if (last_.empty()) return;
    last_.clear();
    log_.write(LogLevel::info, text);
  }

 private:
  Log& log_;
  std::string last_;
};

}  // namespace spillway::ports
