// tools/verify/decode.hpp: what a message says of itself, read by the auditor's own code.
//
// An encoder's bug would hide from a decoder that shares its code, so nothing here comes from src/
// or include/. Reading never leaves the bytes given, whatever they hold.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace spillway::verify {

using Bytes = std::span<const std::byte>;

[[nodiscard]] inline Bytes bytes_of(std::string_view text) noexcept {
  return std::as_bytes(std::span{text.data(), text.size()});
}

/// `spillway-position`: "<instance, 16 hex digits>-<lane>-<seq>".
struct Position {
  std::uint64_t instance = 0;
  std::uint16_t lane = 0;
  std::uint64_t seq = 0;
  friend constexpr auto operator<=>(const Position&, const Position&) noexcept = default;
};
[[nodiscard]] std::optional<Position> parse_position(std::string_view text) noexcept;
[[nodiscard]] std::string text_of(const Position& position);

/// `spillway-resend`: why a copy that may be a second one was sent.
enum class Mark : std::uint8_t { none, fatal, recovery, lease, unknown };
[[nodiscard]] Mark parse_mark(std::string_view text) noexcept;

/// Who published a payload of `spillway load`, and as which of its envelopes.
struct Tag {
  std::uint64_t run = 0;
  std::uint32_t publisher = 0;
  std::uint64_t n = 0;
  std::uint64_t at_unix_ns = 0;
};

enum class PayloadKind : std::uint8_t {
  foreign,  ///< Not of `spillway load`.
  tagged,
  damaged,  ///< Begins as one of `spillway load` does, but is none.
};
struct Payload {
  PayloadKind kind = PayloadKind::foreign;
  Tag tag;
};
/// "run=<16 hex> publisher=<4 digits> n=<12 digits> at=<19 digits> ", and nothing but spaces after
/// it.
[[nodiscard]] Payload read_payload(Bytes payload) noexcept;

/// Where murmur2 puts a key, as librdkafka's `murmur2_random` and the Java client do.
[[nodiscard]] std::uint32_t partition_of(Bytes key, std::uint32_t partitions) noexcept;

/// A record without a payload has its tag in this header instead.
inline constexpr std::string_view tag_header = "test-tag";

/// Collects what makes two copies the same record: key, payload, and the service's own headers in
/// their order; and apart from that what Spillway's headers say.
class RecordReader {
 public:
  RecordReader(std::optional<Bytes> key, std::optional<Bytes> payload) noexcept;

  /// A header as Kafka has it. Those of Spillway are told apart by their names.
  void take_header(std::string_view name, std::optional<Bytes> value) noexcept;

  /// A whole `headers` column of the outbox: for each header a name (2 bytes of length, big-endian)
  /// and a value (4 bytes, -1 is null). False when it is malformed.
  [[nodiscard]] bool take_header_block(Bytes block) noexcept;

  /// A view of what the reader was made with.
  [[nodiscard]] const std::optional<Bytes>& key() const noexcept { return key_; }
  [[nodiscard]] std::optional<std::uint64_t> key_hash() const noexcept { return key_hash_; }
  /// Equal for equal records, never 0.
  [[nodiscard]] std::uint64_t content() const noexcept { return content_ | 1U; }
  [[nodiscard]] const Payload& payload() const noexcept { return payload_; }
  /// Nothing when there is no such header, or it is no position, or there are two that differ.
  [[nodiscard]] std::optional<Position> position() const noexcept;
  [[nodiscard]] Mark mark() const noexcept { return mark_; }
  /// The seq under which the record was refused; 0 when it kept its own.
  [[nodiscard]] std::uint64_t renumbered_from() const noexcept { return renumbered_from_; }
  [[nodiscard]] bool is_relayed() const noexcept { return relayed_; }

 private:
  std::optional<Bytes> key_;
  std::optional<std::uint64_t> key_hash_;
  std::uint64_t content_;
  Payload payload_;
  std::optional<Position> position_;
  bool position_spoilt_ = false;
  Mark mark_ = Mark::none;
  std::uint64_t renumbered_from_ = 0;
  bool relayed_ = false;
};

}  // namespace spillway::verify
