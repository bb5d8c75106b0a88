#include <cstdio>
#include <cstdlib>

#include "fuzz/target.hpp"

namespace spillway::fuzz {

void expect(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", promise);
  std::abort();
}

}  // namespace spillway::fuzz
