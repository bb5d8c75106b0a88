// tools/verify/report.hpp: an audit's result for a person, and for a script.

#pragma once

#include <string>

#include "verify/findings.hpp"

namespace spillway::verify {

/// One line for each figure, then each violation with its first offender.
[[nodiscard]] std::string text_report(const AuditResult& result);

/// One JSON object, the same content.
[[nodiscard]] std::string json_report(const AuditResult& result);

}  // namespace spillway::verify
