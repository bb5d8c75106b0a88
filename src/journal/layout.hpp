// src/journal/layout.hpp: the first segment of a journal file: who it is, its lanes, its topics'
// names.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/limits.hpp"

namespace spillway::journal {

inline constexpr std::array<char, 8> file_magic{'S', 'P', 'I', 'L', 'L', 'W', 'A', 'Y'};
/// Raised whenever a process of another version could misread a file.
inline constexpr std::uint32_t file_version = 1;
/// Reads differently on a machine of the other byte order.
inline constexpr std::uint32_t byte_order_probe = 0x01020304;

/// One cache line a lane; its lane is the only writer.
struct alignas(64) LaneSlot {
  std::uint64_t next_seq;        ///< 0 in a new file: 1.
  std::uint64_t outbox_touched;  ///< Not 0: rows of this stream are, or may be, in the outbox.
  std::array<std::uint64_t, 6> reserved;
};

struct TopicSlot {
  std::uint8_t name_bytes;  ///< Stored last: 0 until the name is there.
  std::array<char, 255> name;
};

struct JournalHeader {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t byte_order;
  std::uint64_t size_bytes;
  std::uint64_t segment_bytes;
  std::uint64_t instance;
  std::uint32_t lanes;     ///< The count that keys are mapped with.
  std::uint32_t relaning;  ///< Not 0: the count changed, and the old streams may still have rows.
  std::array<std::uint64_t, 2> reserved;
  std::array<LaneSlot, core::lanes_max> lane;
  std::array<TopicSlot, core::topics_max> topic;
};
static_assert(std::is_trivially_copyable_v<JournalHeader>);
static_assert(sizeof(LaneSlot) == 64 && sizeof(TopicSlot) == 256);
static_assert(core::topic_name_bytes_max <= sizeof(TopicSlot::name));
static_assert(sizeof(JournalHeader) <= core::segment_bytes, "the header has the first segment");

}  // namespace spillway::journal
