// src/journal/segment.hpp: records one after the other in a piece of memory: append, and walk.
//
// Works on any span: a test needs no file. Who may append, and when the piece is free again, is
// journal.hpp's business.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/record.hpp"

namespace spillway::journal {

/// Acquires what the last store of the state released: the record's content, or its lane's seq.
[[nodiscard]] core::RecordState load_state(const core::RecordHeader& record) noexcept;
/// Releases everything written to the record before; pairs with load_state().
void store_state(core::RecordHeader& record, core::RecordState state) noexcept;

/// The appending end; one publisher's.
class SegmentWriter {
 public:
  /// Nothing fits into the default one.
  SegmentWriter() = default;
  /// Empties the segment. `memory` is aligned to 8 bytes.
  explicit SegmentWriter(std::span<std::byte> memory) noexcept;

  [[nodiscard]] bool has_room_for(std::size_t record_bytes) const noexcept {
    return record_bytes <= memory_.size() - used_;
  }
  /// Where the next record begins: 8-aligned room for has_room_for() bytes.
  [[nodiscard]] std::byte* next() const noexcept { return memory_.data() + used_; }
  /// Accepts the record written at next(), all but its state.
  void accept(core::RecordHeader& record) noexcept;

  [[nodiscard]] std::size_t used() const noexcept { return used_; }

 private:
  void end_walk_here() const noexcept;

  std::span<std::byte> memory_;
  std::size_t used_ = 0;
};

struct WalkedRecord {
  std::size_t offset = 0;  ///< In the segment.
  core::RecordState state = core::RecordState::empty;
  core::RecordView view;
};

/// Reads a segment from its beginning: `for (SegmentWalk walk{memory}; auto record =
/// walk.next();)`. Never reads outside `memory`, whatever it holds, and ends after at most size /
/// 64 records.
class SegmentWalk {
 public:
  explicit SegmentWalk(std::span<const std::byte> memory) noexcept : memory_{memory} {}

  [[nodiscard]] std::optional<WalkedRecord> next() noexcept;
  /// After the end: true when it was a record that is half-written or damaged.
  [[nodiscard]] bool ended_torn() const noexcept { return torn_; }

 private:
  std::span<const std::byte> memory_;
  std::size_t at_ = 0;
  std::uint64_t last_stamp_ = 0;
  bool torn_ = false;
};

}  // namespace spillway::journal
