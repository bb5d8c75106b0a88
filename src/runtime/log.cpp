#include "runtime/log.hpp"

#include <cstdlib>
#include <exception>

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include "core/check.hpp"

namespace spillway::runtime {
namespace {

spdlog::level::level_enum level_of(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  core::die("not a LogLevel");
}

// Of its own, not in spdlog's registry: the host may use spdlog too.
std::unique_ptr<spdlog::logger> make_logger(LogLevel least) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): reads only.
  const char* no_color = std::getenv("NO_COLOR");
  const bool is_plain = no_color != nullptr && *no_color != '\0';
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
      is_plain ? spdlog::color_mode::never : spdlog::color_mode::automatic);
  auto logger = std::make_unique<spdlog::logger>("spillway", std::move(sink));
  logger->set_level(level_of(least));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %n: %v");
  return logger;
}

}  // namespace

CallbackLog::CallbackLog(const Config& config)
    : least_{config.log_level}, callback_{config.on_log} {
  if (!callback_) standard_error_ = make_logger(least_);
}

CallbackLog::~CallbackLog() = default;

void CallbackLog::write(LogLevel level, std::string_view text) noexcept {
  if (level < least_) return;
  try {
    if (callback_) {
      callback_(level, text);
    } else {
      standard_error_->log(level_of(level), spdlog::string_view_t{text.data(), text.size()});
    }
  } catch (const std::exception&) {
    // A line is lost; nobody is left to tell.
  }
}

}  // namespace spillway::runtime
