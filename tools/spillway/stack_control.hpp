// tools/spillway/stack_control.hpp: starts and ends the servers of the local stack, by its script.

#pragma once

#include <initializer_list>
#include <string>

namespace spillway::program {

class StackControl {
 public:
  /// Empty: $SPILLWAY_STACK, or the script of the checkout that this program was built in.
  /// @throws CommandError when there is no such script
  explicit StackControl(const std::string& path);

  /// `tools/stack ARGUMENTS`; what it said. @blocks until the script ends
  /// @throws CommandError with what it said
  std::string run(std::initializer_list<std::string> arguments) const;

 private:
  std::string path_;
};

}  // namespace spillway::program
