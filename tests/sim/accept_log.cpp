#include "sim/accept_log.hpp"

#include <algorithm>
#include <cstring>

#include "core/header_block.hpp"

namespace spillway::sim {
namespace {

constexpr const char* header_name = "h";

/// A byte of the body, so that no two records and no two places look alike.
char body_byte(RecordId id, std::size_t at) noexcept {
  return static_cast<char>((id.value * 131U + at * 7U + (at >> 8U)) & 0xFFU);
}

std::string payload_of(RecordId id, const AcceptEntry& entry) {
  std::string payload(std::max<std::size_t>(entry.payload_bytes, sizeof id.value), '\0');
  std::memcpy(payload.data(), &id.value, sizeof id.value);
  for (std::size_t i = sizeof id.value; i < payload.size(); ++i)
    payload[i] = body_byte(id, i);
  return payload;
}

bool is_equal(const std::optional<ByteString>& bytes, const std::optional<std::string>& text) {
  if (bytes.has_value() != text.has_value()) return false;
  if (!bytes) return true;
  return bytes->size() == text->size() &&
         std::memcmp(bytes->data(), text->data(), text->size()) == 0;
}

std::string compare(const test::EnvelopeText& wanted, const AcceptEntry& entry,
                    std::string_view topic, const std::optional<ByteString>& key,
                    const std::optional<ByteString>& payload) {
  if (topic != topic_name(entry.topic)) return "the topic is another";
  if (!is_equal(key, wanted.key)) return "the key is another";
  if (!is_equal(payload, wanted.payload)) return "the payload is another";
  return {};
}

}  // namespace

std::string topic_name(std::uint32_t topic) {
  return "topic-" + std::to_string(topic);
}

test::EnvelopeText envelope_of(RecordId id, const AcceptEntry& entry) {
  test::EnvelopeText envelope;
  envelope.key = std::nullopt;
  if (entry.key >= 0) envelope.key = "k" + std::to_string(entry.key);
  envelope.payload = payload_of(id, entry);
  if (entry.header_bytes != 0) {
    const std::string value(entry.header_bytes, 'v');
    const std::array<Header, 1> headers{Header{.name = header_name, .value = bytes_of(value)}};
    envelope.headers.resize(core::header_block_bytes(headers).value());
    core::encode_headers(headers, std::as_writable_bytes(std::span{envelope.headers}));
  }
  return envelope;
}

std::optional<RecordId> id_of(const std::optional<ByteString>& payload,
                              const AcceptLog& log) noexcept {
  RecordId id;
  if (!payload || payload->size() < sizeof id.value) return std::nullopt;
  std::memcpy(&id.value, payload->data(), sizeof id.value);
  return id.value < log.size() ? std::optional{id} : std::nullopt;
}

std::string damage_of(RecordId id, const AcceptEntry& entry, std::string_view topic,
                      const LogRecord& copy) {
  const test::EnvelopeText wanted = envelope_of(id, entry);
  std::string damage = compare(wanted, entry, topic, copy.key, copy.payload);
  if (!damage.empty()) return damage;
  const std::size_t ours = entry.header_bytes == 0 ? 0 : 1;
  if (copy.headers.size() <= ours) return "a header is missing";
  if (ours == 1 && (copy.headers.front().name != header_name ||
                    !is_equal(copy.headers.front().value, std::string(entry.header_bytes, 'v')))) {
    return "a header is another";
  }
  return {};
}

std::string damage_of(RecordId id, const AcceptEntry& entry, std::string_view topic,
                      const std::optional<ByteString>& key,
                      const std::optional<ByteString>& payload, const ByteString& headers) {
  const test::EnvelopeText wanted = envelope_of(id, entry);
  const std::string damage = compare(wanted, entry, topic, key, payload);
  if (!damage.empty()) return damage;
  return is_equal(headers, wanted.headers) ? "" : "the headers are others";
}

}  // namespace spillway::sim
