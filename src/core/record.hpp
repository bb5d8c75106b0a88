// src/core/record.hpp: how an accepted envelope lies in the journal.
//
//   | RecordHeader (64) | key | header block | payload | up to 7 bytes of padding | next record's
//   state
//
// The publisher writes everything but `state`, then the word after the record (zero: nothing
// follows), then releases `state`: a record whose state was never stored is torn, and ends the
// segment's walk. Afterwards its lane is the only writer: seq, renumbered_from, state. Byte order
// is the machine's: a journal does not travel.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>

#include "core/ids.hpp"
#include "spillway/envelope.hpp"

namespace spillway::core {

enum class RecordState : std::uint64_t {
  empty = 0,      ///< Nothing here, or half of it: the walk ends.
  accepted = 1,   ///< publish() returned, or is about to.
  numbered = 2,   ///< Has its seq.
  submitted = 3,  ///< With librdkafka: may be in Kafka if the process dies.
  settled = 4,    ///< Safe elsewhere.
};

inline constexpr std::int32_t absent = -1;
inline constexpr std::int64_t no_event_time = std::numeric_limits<std::int64_t>::min();

struct RecordHeader {
  std::uint64_t state;  ///< A RecordState; two threads touch it, see journal/segment.hpp.
  std::uint64_t stamp;
  std::uint64_t seq;              ///< 0 until numbered.
  std::uint64_t renumbered_from;  ///< 0: never.
  std::int64_t event_time_ms;     ///< no_event_time: none.
  std::uint32_t record_bytes;     ///< Of the whole record, a multiple of 8.
  std::uint32_t check;            ///< header_check() of what the publisher wrote.
  std::int32_t key_bytes;         ///< absent: no key.
  std::int32_t payload_bytes;     ///< absent: a tombstone.
  std::uint32_t headers_bytes;
  std::uint16_t lane;
  std::uint16_t topic;
};
static_assert(sizeof(RecordHeader) == 64);
static_assert(std::has_unique_object_representations_v<RecordHeader>, "no padding on disk");

/// Bytes of a record with that much key, headers and payload in all.
[[nodiscard]] constexpr std::size_t record_bytes_for(std::size_t content_bytes) noexcept {
  return (sizeof(RecordHeader) + content_bytes + 7U) & ~std::size_t{7};
}

/// What the publisher wrote, folded into 32 bits: tells a damaged header from a good one.
[[nodiscard]] std::uint32_t header_check(const RecordHeader& header) noexcept;

/// A record's content, as views into the journal.
struct RecordView {
  TopicIndex topic;
  LaneIndex lane;
  std::optional<Bytes> key;
  Bytes headers;
  std::optional<Bytes> payload;
  std::optional<std::int64_t> event_time_ms;
};

/// Views into `bytes`, which begin with the record's header; nothing when lengths or check do not
/// fit. Does not look at the state. Never reads past `bytes`, whatever it holds.
[[nodiscard]] std::optional<RecordView> decode_record(std::span<const std::byte> bytes) noexcept;

/// The same of a record that this process knows to be good.
[[nodiscard]] RecordView view_of(const RecordHeader& header) noexcept;

}  // namespace spillway::core
