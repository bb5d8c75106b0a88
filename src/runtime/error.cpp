#include "spillway/error.hpp"

#include <utility>

namespace spillway {
namespace {

std::string joined(const std::vector<std::string>& violations) {
  std::string text;
  for (const std::string& violation : violations) {
    if (!text.empty()) text += '\n';
    text += violation;
  }
  return text;
}

}  // namespace

ConfigError::ConfigError(std::vector<std::string> violations)
    : std::runtime_error{joined(violations)}, violations_{std::move(violations)} {}

}  // namespace spillway
