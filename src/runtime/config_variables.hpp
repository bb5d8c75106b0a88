// src/runtime/config_variables.hpp: SPILLWAY_* variables as keys and values.
//
// SPILLWAY_LANES_COUNT is lanes.count, and so on for every setting; SPILLWAY_KAFKA,
// SPILLWAY_POSTGRES and SPILLWAY_REDIS are short for the three addresses. Not settings, and left
// alone: SPILLWAY_STACK*, SPILLWAY_PROGRAM* and SPILLWAY_TEST* of this project's own tools, and
// what Kubernetes adds for services whose names begin with "spillway" (SPILLWAY_..._SERVICE_HOST,
// ..._PORT, ..._PORT_9092_TCP).

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/config_file.hpp"

namespace spillway::runtime {

/// What this process was started with. A variable that is no setting, and one that contradicts its
/// short form, becomes a text in `faults`.
[[nodiscard]] std::vector<Assignment> read_config_variables(std::vector<std::string>& faults);

/// "lanes.count" → "SPILLWAY_LANES_COUNT".
[[nodiscard]] std::string variable_of(std::string_view key);

/// Of ENVIRONMENT, which has no prefix; empty when unset.
[[nodiscard]] std::string plain_environment_variable();

}  // namespace spillway::runtime
