// tests/crash/content.hpp: what a record holds, all of it derived from its name.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crash/ledger.hpp"
#include "ports/broker.hpp"
#include "spillway/envelope.hpp"

namespace spillway::crash {

struct Content {
  std::optional<std::string> key;
  std::vector<std::byte> payload;
  std::optional<std::string> header;  ///< The value of the header "about".
  std::optional<std::int64_t> event_time_ms;
};

/// As `payload_bytes_max`: no record is longer or shorter than another, so that in a segment that
/// is used again each begins where an older one did.
inline constexpr std::size_t all_alike = 1'000;

/// Up to `payload_bytes_max`, most of them short. `order` is in the payload only.
[[nodiscard]] Content content_of(const RecordName& name, std::uint64_t order,
                                 std::size_t payload_bytes_max);

/// What a record says of itself when it is sent, and whether that is all as it was published.
[[nodiscard]] Sent read_back(const ports::Submission& record, std::size_t payload_bytes_max);

}  // namespace spillway::crash
