// include/spillway/error.hpp: why a pipeline did not start. Nothing is thrown once it runs.

#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "spillway/export.hpp"

namespace spillway {

/// Settings that cannot be used: every violation at once, each naming its key and the way out.
class SPILLWAY_EXPORT ConfigError : public std::runtime_error {
 public:
  explicit ConfigError(std::vector<std::string> violations);
  [[nodiscard]] const std::vector<std::string>& violations() const noexcept { return violations_; }

 private:
  std::vector<std::string> violations_;
};

/// The journal file, a server or a topic cannot be used; what() says which, why, and what to do.
class SPILLWAY_EXPORT StartError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace spillway
