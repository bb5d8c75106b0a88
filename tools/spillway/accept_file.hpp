// tools/spillway/accept_file.hpp: how many envelopes of each publisher were accepted so far, in a
// file that stays true when the process is killed.
//
// A little-endian u64 for each publisher, in a shared mapping: raised after each accept, so after a
// kill -9 one accepted envelope of each publisher may be uncounted. That one's number is not used
// again: a load that goes on with the same run takes new publishers, which are appended.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace spillway::program {

class AcceptFile {
 public:
  /// Creates the file, or appends to one that is there when `go_on`.
  /// @throws CommandError
  AcceptFile(const std::string& path, std::size_t publishers, bool go_on);
  AcceptFile(const AcceptFile&) = delete;
  AcceptFile& operator=(const AcceptFile&) = delete;
  ~AcceptFile();

  /// The number of the first publisher that is this load's own.
  [[nodiscard]] std::uint32_t first_publisher() const noexcept { return first_; }

  /// @thread that of the publisher, counted from 0 among this load's own
  void raise(std::size_t publisher, std::uint64_t accepted) noexcept {
    // Release: whoever reads the count finds the envelopes in the journal.
    std::atomic_ref{counts_[first_ + publisher]}.store(accepted, std::memory_order_release);
  }

 private:
  std::uint32_t first_ = 0;
  std::span<std::uint64_t> counts_;
};

}  // namespace spillway::program
