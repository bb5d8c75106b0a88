// tests/sim/journal_disk.hpp: a journal's file as it outlives its processes.
//
// One for each instance, mapped once and used by every life of every seed: to open a file is most
// of what a life costs. What it held at the moment of a death is saved, and put back when the
// process that died in the middle of a step is gone.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/ids.hpp"
#include "core/record.hpp"
#include "journal/layout.hpp"

namespace spillway::sim {

inline constexpr std::size_t disk_segments = 6;
inline constexpr std::size_t disk_bytes = (disk_segments + 1) * core::segment_bytes;

class JournalDisk {
 public:
  JournalDisk();
  JournalDisk(const JournalDisk&) = delete;
  JournalDisk& operator=(const JournalDisk&) = delete;
  ~JournalDisk();

  [[nodiscard]] std::span<std::byte> memory() const noexcept { return memory_; }

  /// A new journal, of whose segments the first `segment_bytes_used` bytes are used.
  void format(core::InstanceId instance, std::size_t segment_bytes_used) noexcept;

  void save();
  /// What was saved last.
  void restore() noexcept;

  [[nodiscard]] const core::RecordHeader& record(core::RecordOffset at) const noexcept;
  [[nodiscard]] const journal::JournalHeader& header() const noexcept;
  /// Records that are neither half-written nor settled.
  [[nodiscard]] std::size_t unsettled() const noexcept;

 private:
  /// Every piece of the file that a process may have written.
  template <class Visit>
  void visit_used(Visit visit) const;

  std::span<std::byte> memory_;
  std::size_t used_ = core::segment_bytes;
  std::vector<std::byte> saved_;
};

}  // namespace spillway::sim
