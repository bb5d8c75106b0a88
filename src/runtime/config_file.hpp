// src/runtime/config_file.hpp: a TOML file as a list of keys and values. It knows no setting.

#pragma once

#include <string>
#include <vector>

#include "core/settings.hpp"

namespace spillway::runtime {

/// One key with its value, from a file, a variable or a flag.
struct Assignment {
  std::string key;     ///< Dotted.
  std::string origin;  ///< "app.toml:7", or the variable's name.
  core::SettingValue value;
};

/// In the file's order. @throws StartError when it cannot be read; ConfigError when it is not TOML
[[nodiscard]] std::vector<Assignment> read_config_file(const std::string& path);

}  // namespace spillway::runtime
