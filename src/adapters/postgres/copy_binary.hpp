// src/adapters/postgres/copy_binary.hpp: rows as COPY ... FROM STDIN (FORMAT binary) wants them.
//
// Signature, flags, extension length; for each row the number of fields, and for each field its
// length
// (-1 is null) and bytes; -1 at the end. Big-endian throughout.

#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "ports/outbox_store.hpp"

namespace spillway::postgres {

/// The columns that CopyEncoder writes, in its order; the others have defaults.
inline constexpr std::string_view copy_columns =
    "instance, lane, seq, topic, key, payload, headers, accepted_at, event_time, held, resend, "
    "renumbered_from";

/// Keeps its memory from batch to batch.
class CopyEncoder {
 public:
  /// The bytes of one COPY; until the next call.
  [[nodiscard]] std::span<const std::byte> encode(core::StreamId stream,
                                                  std::span<const ports::OutboxRow> rows);

 private:
  std::vector<std::byte> buffer_;
};

}  // namespace spillway::postgres
