// tests/support/record_maker.hpp: accepted envelopes, laid out as a publisher lays them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/record.hpp"

namespace spillway::test {

/// Texts stand for bytes.
struct EnvelopeText {
  std::optional<std::string> key = "key";
  std::optional<std::string> payload = "payload";
  std::string headers = {};  ///< The block's bytes as they are.
  std::optional<std::int64_t> event_time_ms = {};
  std::uint16_t topic = 0;
  std::uint16_t lane = 0;
  std::uint64_t stamp = 1;
};

[[nodiscard]] inline std::string text_of(std::span<const std::byte> bytes) {
  // Bytes may be looked at as characters.
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline std::size_t record_bytes_of(const EnvelopeText& envelope) {
  return core::record_bytes_for(envelope.key.value_or("").size() + envelope.headers.size() +
                                envelope.payload.value_or("").size());
}

/// Writes all of the record but its state to `at`, which is aligned to 8 and has room for it.
inline core::RecordHeader& write_record(const EnvelopeText& envelope, std::byte* at) {
  const auto length_of = [](const std::optional<std::string>& text) {
    return text ? static_cast<std::int32_t>(text->size()) : core::absent;
  };
  auto& header = *reinterpret_cast<core::RecordHeader*>(at);
  header.stamp = envelope.stamp;
  header.seq = 0;
  header.renumbered_from = 0;
  header.event_time_ms = envelope.event_time_ms.value_or(core::no_event_time);
  header.record_bytes = static_cast<std::uint32_t>(record_bytes_of(envelope));
  header.key_bytes = length_of(envelope.key);
  header.payload_bytes = length_of(envelope.payload);
  header.headers_bytes = static_cast<std::uint32_t>(envelope.headers.size());
  header.lane = envelope.lane;
  header.topic = envelope.topic;
  header.check = core::header_check(header);
  std::byte* content = at + sizeof header;
  for (const std::string& part :
       {envelope.key.value_or(""), envelope.headers, envelope.payload.value_or("")}) {
    std::memcpy(content, part.data(), part.size());
    content += part.size();
  }
  return header;
}

/// A record by itself, of state accepted.
[[nodiscard]] inline std::vector<std::byte> record_of(const EnvelopeText& envelope) {
  std::vector<std::byte> bytes(record_bytes_of(envelope));
  core::RecordHeader& header = write_record(envelope, bytes.data());
  header.state = static_cast<std::uint64_t>(core::RecordState::accepted);
  return bytes;
}

}  // namespace spillway::test
