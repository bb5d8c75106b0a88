// src/journal/journal_file.hpp: the file under a journal: made whole, locked, mapped, or refused.
//
// A file that is not ours, is damaged, or has a living owner is refused with the reason, and left
// as it is. What it holds is recovery.hpp's business.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "journal/layout.hpp"

namespace spillway::journal {

/// How a file is opened that is only to be looked at.
struct ReadOnly {};

class JournalFile {
 public:
  /// Opens `path`, or makes it with `size_bytes` and a random instance. The size of a file that
  /// exists stays. Takes the file's lock until destroyed. Every page is present afterwards: no
  /// store faults.
  /// @blocks 0.2 s for 256 MiB
  /// @throws StartError, which says what to do
  JournalFile(const std::string& path, std::size_t size_bytes);

  /// Maps a file to read, without the lock. @throws StartError
  JournalFile(const std::string& path, ReadOnly how);

  /// A file that its owner keeps mapped: what begins in `memory`, page-aligned, is believed.
  explicit JournalFile(std::span<std::byte> memory) noexcept : memory_{memory} {}

  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;
  ~JournalFile();

  [[nodiscard]] JournalHeader& header() const noexcept;
  /// All segments behind the header, one after the other.
  [[nodiscard]] std::span<std::byte> data() const noexcept;
  [[nodiscard]] std::size_t size_bytes() const noexcept { return memory_.size(); }
  [[nodiscard]] bool is_new() const noexcept { return is_new_; }
  /// ReadOnly: whether another process holds the lock.
  [[nodiscard]] bool is_in_use() const noexcept { return is_in_use_; }

 private:
  void map(int protection);

  std::string path_;
  int descriptor_ = -1;
  std::span<std::byte> memory_;
  bool is_new_ = false;
  bool is_in_use_ = false;
};

}  // namespace spillway::journal
