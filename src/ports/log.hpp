// src/ports/log.hpp: where the loops and adapters say what a person should know. Never once per
// message.

#pragma once

#include <string_view>

#include "spillway/config.hpp"

namespace spillway::ports {

class Log {
 public:
  Log() = default;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  virtual ~Log() = default;
  /// @thread any
  virtual void write(LogLevel level, std::string_view text) noexcept = 0;
};

}  // namespace spillway::ports
