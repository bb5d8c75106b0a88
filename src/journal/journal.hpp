// src/journal/journal.hpp: segments handed out and taken back; records by offset; the lanes'
// numbers.
//
//   publisher: take_segment() → append → close_segment()         lane: record() → free_records()
//
// A segment is free again when its publisher has closed it and every record in it was freed. Who
// comes last gives it back; no lock, no system call.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/record.hpp"
#include "journal/journal_file.hpp"

namespace spillway::journal {

struct SegmentIndex {
  std::uint32_t value = 0;
};

class Journal {
 public:
  /// Every segment is taken until recover() says which are free. @throws StartError
  Journal(const std::string& path, std::size_t size_bytes);
  /// In a file that is mapped already, and stays so: many processes, one after the other,
  /// simulated.
  explicit Journal(std::span<std::byte> mapped);

  [[nodiscard]] core::InstanceId instance() const noexcept { return {file_.header().instance}; }
  [[nodiscard]] std::size_t size_bytes() const noexcept { return file_.size_bytes(); }
  [[nodiscard]] bool is_new() const noexcept { return file_.is_new(); }

  // Segments. @thread any
  [[nodiscard]] std::size_t segment_count() const noexcept { return segments_.size(); }
  [[nodiscard]] std::size_t used_segments() const noexcept;
  [[nodiscard]] std::optional<SegmentIndex> take_segment() noexcept;
  [[nodiscard]] std::span<std::byte> memory_of(SegmentIndex segment) const noexcept;
  /// The publisher appends no more; it has appended `records` in all.
  void close_segment(SegmentIndex segment, std::size_t records) noexcept;
  /// Records of one segment that nobody reads any more.
  void free_records(SegmentIndex segment, std::size_t records) noexcept;
  /// recover(): a segment that holds `live` records of a dead process, or none.
  void adopt_segment(SegmentIndex segment, std::size_t live) noexcept;
  /// Counts the uses of a segment: a ticket of an older one is settled.
  [[nodiscard]] std::uint64_t generation_of(SegmentIndex segment) const noexcept;

  // Records. @thread the publisher until accepted, then the lane
  [[nodiscard]] core::RecordHeader& record(core::RecordOffset at) const noexcept;
  [[nodiscard]] core::RecordOffset offset_of(const void* at) const noexcept;
  [[nodiscard]] SegmentIndex segment_of(core::RecordOffset at) const noexcept;

  // Lanes' numbers. @thread the lane
  [[nodiscard]] core::Seq next_seq(core::LaneIndex lane) const noexcept;
  void set_next_seq(core::LaneIndex lane, core::Seq next) noexcept;
  [[nodiscard]] bool outbox_touched(core::LaneIndex lane) const noexcept;
  void set_outbox_touched(core::LaneIndex lane, bool touched) noexcept;

  // The mapping of keys to lanes. @thread one, at start
  [[nodiscard]] std::uint16_t lanes() const noexcept {
    return static_cast<std::uint16_t>(file_.header().lanes);
  }
  void set_lanes(std::size_t lanes) noexcept;
  [[nodiscard]] bool is_relaning() const noexcept { return file_.header().relaning != 0; }
  void set_relaning(bool relaning) noexcept;

  // Topics' names. @thread one at a time for add_topic(), any for the rest
  [[nodiscard]] std::uint16_t topic_count() const noexcept;
  [[nodiscard]] std::string_view topic_name(core::TopicIndex topic) const noexcept;
  /// The index of a name, old or new; nothing when the table is full.
  [[nodiscard]] std::optional<core::TopicIndex> add_topic(std::string_view name) noexcept;

 private:
  // On a line of its own: the publisher closes it while lanes count down.
  struct alignas(64) Segment {
    std::atomic<std::int64_t> live{0};
    std::atomic<std::uint64_t> generation{0};
  };

  void give_back(SegmentIndex segment) noexcept;

  JournalFile file_;
  std::vector<Segment> segments_;
  std::vector<std::atomic<std::uint64_t>> free_;  // a bit for each segment
};

}  // namespace spillway::journal
