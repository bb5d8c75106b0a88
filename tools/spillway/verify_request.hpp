// tools/spillway/verify_request.hpp: an audit of one topic with the program's own settings.

#pragma once

#include <string>

#include "spillway/config.hpp"
#include "verify/sources.hpp"

namespace spillway::program {

/// Kafka's and Postgres' addresses from the settings. @throws CommandError
[[nodiscard]] verify::AuditRequest verify_request(const Config& config, const std::string& topic);

/// Runs it; a terminal shows how far it is. @throws CommandError when an input cannot be read
[[nodiscard]] verify::AuditResult verify_with_progress(const verify::AuditRequest& request);

}  // namespace spillway::program
