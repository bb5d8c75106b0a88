// src/core/check.hpp: assertions that stay on in release: a broken promise must not run on.

#pragma once

#include <source_location>

namespace spillway::core {

/// Prints what did not hold, and where, and aborts.
[[noreturn]] void die(const char* what,
                      const std::source_location& where = std::source_location::current()) noexcept;

}  // namespace spillway::core

#define SPILLWAY_CHECK(expression)                              \
  do {                                                          \
    if (!(expression)) [[unlikely]] {                           \
      ::spillway::core::die("SPILLWAY_CHECK(" #expression ")"); \
    }                                                           \
  } while (false)
