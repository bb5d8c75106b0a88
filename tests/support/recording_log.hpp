// tests/support/recording_log.hpp: what was logged, for a test to look at.

#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "ports/log.hpp"

namespace spillway::testing {

/// @thread one at a time
class RecordingLog final : public ports::Log {
 public:
  void write(LogLevel /*level*/, std::string_view text) noexcept override {
    lines_.emplace_back(text);
  }
  [[nodiscard]] std::size_t count(std::string_view part) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        lines_, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
  }
  [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }

 private:
  std::vector<std::string> lines_;
};

}  // namespace spillway::testing
