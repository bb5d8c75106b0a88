// tools/spillway/record_text.hpp: one outbox row or dead letter, for people and for scripts.

#pragma once

#include <iosfwd>
#include <string>

#include <nlohmann/json.hpp>

#include "spillway/outbox.hpp"

namespace spillway::program {

/// Bytes that are UTF-8 as `NAME`, others as `NAME_base64`; null for nothing.
[[nodiscard]] nlohmann::ordered_json json_of(const OutboxRecord& record);

/// Every field on a line of its own.
void print_record(std::ostream& out, const OutboxRecord& record);

}  // namespace spillway::program
