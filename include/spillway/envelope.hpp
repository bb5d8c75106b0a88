// include/spillway/envelope.hpp: what a publisher hands over: views, and who owns the bytes.
//
// Everything here is a view or a small value. The caller owns the bytes; publish() copies them once
// into the journal, so they may be reused as soon as it has returned.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace spillway {

using Bytes = std::span<const std::byte>;

/// The bytes of a text, without a copy.
[[nodiscard]] inline Bytes bytes_of(std::string_view text) noexcept {
  return std::as_bytes(std::span{text.data(), text.size()});
}

/// The unit of order: envelopes of one topic and key arrive in publish order. An empty key is a
/// key; `no_key` is none, and leaves the partition to Spillway.
class Key {
 public:
  constexpr Key() noexcept = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a text is a key wherever one is asked for.
  Key(std::string_view text) noexcept : bytes_{bytes_of(text)} {}
  // NOLINTNEXTLINE(google-explicit-constructor): see above.
  Key(const char* text) noexcept : bytes_{bytes_of(text)} {}
  constexpr explicit Key(Bytes bytes) noexcept : bytes_{bytes} {}

  /// Nothing for `no_key`.
  [[nodiscard]] constexpr std::optional<Bytes> bytes() const noexcept { return bytes_; }

 private:
  std::optional<Bytes> bytes_;
};

inline constexpr Key no_key{};

/// One Kafka header. Names that begin with `spillway-` are Spillway's own; see the README.
struct Header {
  std::string_view name;
  std::optional<Bytes> value;  ///< Nothing is Kafka's null.
};
using Headers = std::span<const Header>;

/// A topic of one Pipeline, made by Pipeline::topic(). A small value: copy it freely, use it from
/// any thread, with that Pipeline's publishers only.
class Topic {
 public:
  [[nodiscard]] constexpr std::uint16_t index() const noexcept { return index_; }

 private:
  friend class Pipeline;
  constexpr explicit Topic(std::uint16_t index) noexcept : index_{index} {}
  std::uint16_t index_;
};

/// Since 1970-01-01 UTC; Kafka keeps milliseconds.
using EventTime = std::chrono::sys_time<std::chrono::milliseconds>;

struct Envelope {
  Topic topic;
  Key key = no_key;
  Bytes payload = {};
  Headers headers = {};
  std::optional<EventTime> event_time =
      std::nullopt;  ///< Becomes the Kafka timestamp; else that is set on sending.
  bool tombstone =
      false;  ///< Sends Kafka's null payload (a deletion in a compacted topic) instead.
};

}  // namespace spillway
