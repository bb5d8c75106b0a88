#include "core/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace spillway::core {

void die(const char* what, const std::source_location& where) noexcept {
  std::fprintf(stderr, "spillway: bug: %s at %s:%u in %s\n", what, where.file_name(), where.line(),
               where.function_name());
  std::abort();
}

}  // namespace spillway::core
