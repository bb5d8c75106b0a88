// src/core/config_rules.hpp: Config → what in it cannot be used, all at once.
//
// Bounds of single settings come from the table in settings.cpp; what two settings must be to each
// other, and what must not be empty, is here. Whether servers, files and CPUs exist is asked
// elsewhere.

#pragma once

#include <string>
#include <vector>

#include "spillway/config.hpp"

namespace spillway::core {

struct Violation {
  std::string key;
  std::string text;  ///< "key is value; it may be …; way out".
};

/// Whose address must be given.
struct NeededServers {
  bool kafka = false;
  bool postgres = false;
};

[[nodiscard]] std::vector<Violation> violations(const Config& config, NeededServers needed = {});

/// The texts alone, as ConfigError takes them.
[[nodiscard]] std::vector<std::string> texts_of(const std::vector<Violation>& violations);

}  // namespace spillway::core
