// tools/spillway/terminal.hpp: what a person at a terminal sees and a pipe does not: colour, and a
// line that is written over.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spillway::program {

/// STDOUT_FILENO or STDERR_FILENO goes to a terminal.
[[nodiscard]] bool is_terminal(int descriptor) noexcept;

/// A terminal, and neither NO_COLOR is set nor TERM is dumb.
[[nodiscard]] bool wants_colour(int descriptor) noexcept;

enum class Colour : std::uint8_t { red, green, yellow, dim, bold };

/// `text` in that colour when wants_colour(descriptor), else `text` as it is.
[[nodiscard]] std::string coloured(int descriptor, Colour colour, std::string_view text);

/// One line on standard error that each show() writes over; nothing at all when that is no
/// terminal. Cleared at the end of its scope. @thread one at a time
class StatusLine {
 public:
  StatusLine() noexcept;
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;
  ~StatusLine();

  void show(std::string_view text);
  void clear() noexcept;

 private:
  bool on_terminal_;
  bool shown_ = false;
};

}  // namespace spillway::program
