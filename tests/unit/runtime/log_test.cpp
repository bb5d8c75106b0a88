// tests/unit/runtime/log_test.cpp: who gets a log line.

#include "runtime/log.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace spillway::runtime {
namespace {

TEST(CallbackLog, GivesTheHostWhatIsAtItsLevelOrAbove) {
  std::vector<std::string> lines;
  Config config;
  config.log_level = LogLevel::warning;
  config.on_log = [&lines](LogLevel, std::string_view text) { lines.emplace_back(text); };
  CallbackLog log{config};

  log.write(LogLevel::info, "dropped");
  log.write(LogLevel::warning, "kept");
  log.write(LogLevel::error, "kept too");

  EXPECT_EQ(lines, (std::vector<std::string>{"kept", "kept too"}));
}

TEST(CallbackLog, OutlivesACallbackThatThrows) {
  Config config;
  config.on_log = [](LogLevel, std::string_view) { throw std::runtime_error{"full"}; };
  CallbackLog log{config};

  EXPECT_NO_THROW(log.write(LogLevel::error, "lost"));
}

TEST(CallbackLog, WritesToStandardErrorWithoutACallback) {
  CallbackLog log{Config{}};
  testing::internal::CaptureStderr();

  log.write(LogLevel::warning, "Kafka is away {}");

  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("warning spillway: Kafka is away {}\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace spillway::runtime
