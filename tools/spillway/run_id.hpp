// tools/spillway/run_id.hpp: which load a payload belongs to: up to 16 hex digits.

#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "command.hpp"

namespace spillway::program {

/// @throws CommandError
[[nodiscard]] inline std::uint64_t parse_run_id(const std::string& text) {
  const bool is_id = !text.empty() && text.size() <= 16 &&
                     text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (!is_id) {
    throw CommandError{ExitCode::usage, "--run " + text + " is no run; it has 1 to 16 hex digits"};
  }
  return std::stoull(text, nullptr, 16);
}

[[nodiscard]] inline std::uint64_t random_run_id() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

}  // namespace spillway::program
