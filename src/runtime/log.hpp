// src/runtime/log.hpp: the log of a pipeline: the host's callback, or spdlog to standard error.

#pragma once

#include <memory>
#include <string_view>

#include "ports/log.hpp"
#include "spillway/config.hpp"

namespace spdlog {
class logger;
}  // namespace spdlog

namespace spillway::runtime {

/// Drops what is below `Config::log_level`. @thread any
class CallbackLog final : public ports::Log {
 public:
  explicit CallbackLog(const Config& config);
  CallbackLog(const CallbackLog&) = delete;
  CallbackLog& operator=(const CallbackLog&) = delete;
  ~CallbackLog() override;

  /// A callback that throws all the same loses that line, nothing else.
  void write(LogLevel level, std::string_view text) noexcept override;

 private:
  LogLevel least_;
  std::function<void(LogLevel, std::string_view)> callback_;
  std::unique_ptr<spdlog::logger> standard_error_;  // null when there is a callback
};

}  // namespace spillway::runtime
