// src/core/header_block.hpp: a record's user headers as one run of bytes, in the journal and the
// outbox.
//
// For each header: name length (2 bytes, big-endian), name, value length (4 bytes, big-endian, -1
// is Kafka's null), value. No headers: no bytes. Reading never leaves the block, whatever it holds.

#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "spillway/envelope.hpp"

namespace spillway::core {

/// Bytes that encode_headers() will write; nothing when a name is longer than 32 767 bytes or a
/// value longer than 2^31 - 1.
[[nodiscard]] std::optional<std::size_t> header_block_bytes(Headers headers) noexcept;

/// Writes exactly header_block_bytes(headers) to `out`.
void encode_headers(Headers headers, std::span<std::byte> out) noexcept;

/// Walks a block: `for (HeaderReader reader{block}; auto header = reader.next();)`.
class HeaderReader {
 public:
  explicit HeaderReader(Bytes block) noexcept : rest_{block} {}

  /// The next header, a view into the block; nothing at the end or where the block is malformed.
  [[nodiscard]] std::optional<Header> next() noexcept;
  /// False once next() met something that is not a header.
  [[nodiscard]] bool is_well_formed() const noexcept { return well_formed_; }

 private:
  Bytes rest_;
  bool well_formed_ = true;
};

/// How many headers a block holds; nothing when it is malformed.
[[nodiscard]] std::optional<std::size_t> count_headers(Bytes block) noexcept;

}  // namespace spillway::core
