#include "core/record.hpp"

#include <cstring>

#include "core/check.hpp"

namespace spillway::core {
namespace {

// Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (2014), the finalizer.
std::uint64_t mix(std::uint64_t value) noexcept {
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

std::uint64_t pair(std::uint32_t high, std::uint32_t low) noexcept {
  return (std::uint64_t{high} << 32U) | low;
}

std::size_t length_of(std::int32_t bytes) noexcept {
  return bytes == absent ? 0 : static_cast<std::size_t>(bytes);
}

std::optional<Bytes> part(const std::byte* at, std::int32_t bytes) noexcept {
  if (bytes == absent) return std::nullopt;
  return Bytes{at, length_of(bytes)};
}

RecordView view(const RecordHeader& header, const std::byte* content) noexcept {
  const std::byte* const headers_at = content + length_of(header.key_bytes);
  const std::byte* const payload_at = headers_at + header.headers_bytes;
  return {.topic = {header.topic},
          .lane = {header.lane},
          .key = part(content, header.key_bytes),
          .headers = {headers_at, header.headers_bytes},
          .payload = part(payload_at, header.payload_bytes),
          .event_time_ms = header.event_time_ms == no_event_time
                               ? std::nullopt
                               : std::optional{header.event_time_ms}};
}

}  // namespace

std::uint32_t header_check(const RecordHeader& header) noexcept {
  std::uint64_t hash = mix(header.stamp ^ 0x5370696C6C776179U);
  hash = mix(hash ^ static_cast<std::uint64_t>(header.event_time_ms));
  hash = mix(hash ^ pair(header.record_bytes, header.headers_bytes));
  hash = mix(hash ^ pair(static_cast<std::uint32_t>(header.key_bytes),
                         static_cast<std::uint32_t>(header.payload_bytes)));
  hash = mix(hash ^ pair(header.lane, header.topic));
  return static_cast<std::uint32_t>(hash ^ (hash >> 32U));
}

std::optional<RecordView> decode_record(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() < sizeof(RecordHeader)) return std::nullopt;
  RecordHeader header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.key_bytes < absent || header.payload_bytes < absent) return std::nullopt;
  // Three lengths below 2^32 cannot overflow 64 bits.
  const std::uint64_t content = length_of(header.key_bytes) + std::uint64_t{header.headers_bytes} +
                                length_of(header.payload_bytes);
  if (record_bytes_for(content) != header.record_bytes) return std::nullopt;
  if (header.record_bytes > bytes.size()) return std::nullopt;
  if (header_check(header) != header.check) return std::nullopt;
  return view(header, bytes.data() + sizeof header);
}

RecordView view_of(const RecordHeader& header) noexcept {
  // The content follows its header in the same segment.
  const auto* const content = reinterpret_cast<const std::byte*>(&header) + sizeof header;
  return view(header, content);
}

}  // namespace spillway::core
