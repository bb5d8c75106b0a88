// tests/install/consumer/main.cpp: another project's program, which has only what is installed.
//
// Needs no server: it drops a copy of a message, and is refused by Pipeline::open(), whose
// exception has to be caught across the shared library's border.

#include <cstdio>
#include <exception>

#include <spillway/spillway.hpp>

namespace {

bool drops_a_copy() {
  spillway::DedupFilter filter;
  const auto position = spillway::Position::parse("00000000000000a1-0-1");
  return position && filter.is_new(0, *position) && !filter.is_new(0, *position);
}

bool is_refused_by_name() {
  const spillway::Config config{.journal = {.size_bytes = 1}};
  try {
    auto pipeline = spillway::Pipeline::open(config);
    return false;
  } catch (const spillway::ConfigError& error) {
    return !error.violations().empty();
  }
}

}  // namespace

int main() try {
  const bool passed = drops_a_copy() && is_refused_by_name();
  std::puts(passed ? "found, linked, run" : "not what was promised");
  return passed ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "unexpected: %s\n", error.what());
  return 1;
}
