#include "terminal.hpp"

#include <cstdio>
#include <cstdlib>

#include <unistd.h>

namespace spillway::program {
namespace {

constexpr const char* clear_line = "\r\x1b[K";

std::string_view variable(const char* name) noexcept {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): reads only.
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string_view code_of(Colour colour) noexcept {
  switch (colour) {
    case Colour::red:
      return "\x1b[31m";
    case Colour::green:
      return "\x1b[32m";
    case Colour::yellow:
      return "\x1b[33m";
    case Colour::dim:
      return "\x1b[2m";
    case Colour::bold:
      return "\x1b[1m";
  }
  return "";
}

}  // namespace

bool is_terminal(int descriptor) noexcept {
  return isatty(descriptor) == 1;
}

bool wants_colour(int descriptor) noexcept {
  return variable("NO_COLOR").empty() && variable("TERM") != "dumb" && is_terminal(descriptor);
}

std::string coloured(int descriptor, Colour colour, std::string_view text) {
  if (!wants_colour(descriptor)) return std::string{text};
  return std::string{code_of(colour)}.append(text).append("\x1b[0m");
}

StatusLine::StatusLine() noexcept : on_terminal_{is_terminal(STDERR_FILENO)} {}

StatusLine::~StatusLine() {
  clear();
}

void StatusLine::show(std::string_view text) {
  if (!on_terminal_) return;
  const std::string line = std::string{clear_line}.append(text);
  std::fputs(line.c_str(), stderr);
  shown_ = true;
}

void StatusLine::clear() noexcept {
  if (shown_) std::fputs(clear_line, stderr);
  shown_ = false;
}

}  // namespace spillway::program
