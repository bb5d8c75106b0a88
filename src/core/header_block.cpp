#include "core/header_block.hpp"

#include <cstdint>
#include <cstring>
#include <limits>

namespace spillway::core {
namespace {

constexpr std::size_t name_length_bytes = 2;
constexpr std::size_t value_length_bytes = 4;

std::byte* put_big_endian(std::byte* out, std::uint32_t value, std::size_t bytes) noexcept {
  for (std::size_t i = 0; i < bytes; ++i) {
    out[i] = static_cast<std::byte>((value >> (8 * (bytes - 1 - i))) & 0xFFU);
  }
  return out + bytes;
}

std::byte* put(std::byte* out, Bytes bytes) noexcept {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

std::uint32_t take_big_endian(Bytes& from, std::size_t bytes) noexcept {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value = (value << 8U) | std::to_integer<std::uint32_t>(from[i]);
  }
  from = from.subspan(bytes);
  return value;
}

}  // namespace

std::optional<std::size_t> header_block_bytes(Headers headers) noexcept {
  std::size_t bytes = 0;
  for (const Header& header : headers) {
    const std::size_t value_bytes = header.value ? header.value->size() : 0;
    if (header.name.size() > std::numeric_limits<std::int16_t>::max()) return std::nullopt;
    if (value_bytes > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
    bytes += name_length_bytes + header.name.size() + value_length_bytes + value_bytes;
  }
  return bytes;
}

void encode_headers(Headers headers, std::span<std::byte> out) noexcept {
  std::byte* at = out.data();
  for (const Header& header : headers) {
    at = put_big_endian(at, static_cast<std::uint32_t>(header.name.size()), name_length_bytes);
    at = put(at, bytes_of(header.name));
    if (!header.value) {
      at = put_big_endian(at, std::numeric_limits<std::uint32_t>::max(), value_length_bytes);
      continue;
    }
    at = put_big_endian(at, static_cast<std::uint32_t>(header.value->size()), value_length_bytes);
    at = put(at, *header.value);
  }
}

std::optional<Header> HeaderReader::next() noexcept {
  if (rest_.empty()) return std::nullopt;
  well_formed_ = false;
  if (rest_.size() < name_length_bytes) return std::nullopt;
  const std::size_t name_bytes = take_big_endian(rest_, name_length_bytes);
  if (rest_.size() < name_bytes + value_length_bytes) return std::nullopt;
  // Characters may be looked at as bytes and back.
  const std::string_view name{reinterpret_cast<const char*>(rest_.data()), name_bytes};
  rest_ = rest_.subspan(name_bytes);
  const std::uint32_t value_bytes = take_big_endian(rest_, value_length_bytes);
  if (value_bytes == std::numeric_limits<std::uint32_t>::max()) {
    well_formed_ = true;
    return Header{.name = name, .value = std::nullopt};
  }
  if (rest_.size() < value_bytes) return std::nullopt;
  const Bytes value = rest_.first(value_bytes);
  rest_ = rest_.subspan(value_bytes);
  well_formed_ = true;
  return Header{.name = name, .value = value};
}

std::optional<std::size_t> count_headers(Bytes block) noexcept {
  HeaderReader reader{block};
  std::size_t count = 0;
  while (reader.next())
    ++count;
  if (!reader.is_well_formed()) return std::nullopt;
  return count;
}

}  // namespace spillway::core
