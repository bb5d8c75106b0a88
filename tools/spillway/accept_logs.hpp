// tools/spillway/accept_logs.hpp: each call of publish() in a file that stays true after a kill -9.
//
// What lies in such a file: verify/accept_log_files.hpp.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "spillway/envelope.hpp"
#include "verify/accept_log_files.hpp"

namespace spillway::program {

/// One publisher's log. @thread one at a time
class AcceptLogWriter {
 public:
  /// @throws CommandError
  AcceptLogWriter(const std::string& directory, std::uint64_t run, std::uint32_t publisher);
  AcceptLogWriter(const AcceptLogWriter&) = delete;
  AcceptLogWriter& operator=(const AcceptLogWriter&) = delete;
  ~AcceptLogWriter();

  /// The next call is about to be made. False: the disk is full, and nothing is written.
  [[nodiscard]] bool begin(std::uint64_t content) noexcept;
  /// It is made once more: publish() had refused it.
  void begin_again() noexcept;
  void end(bool accepted) noexcept;

 private:
  [[nodiscard]] bool map_next() noexcept;

  int file_ = -1;
  verify::AcceptLogHeader* header_ = nullptr;
  verify::Accept* chunk_ = nullptr;  // where the next calls are written
  std::size_t used_ = 0;             // of the chunk
  std::uint64_t chunks_ = 0;
  verify::Accept* call_ = nullptr;
};

/// Those of a load's publishers.
class AcceptLogs {
 public:
  /// @throws CommandError
  AcceptLogs(const std::string& directory, std::string topic, std::uint64_t run,
             std::uint32_t first_publisher, std::size_t publishers);
  /// What begin() is told of an envelope for the load's topic.
  [[nodiscard]] std::uint64_t content_of(const Envelope& envelope) const noexcept;
  [[nodiscard]] AcceptLogWriter& of(std::size_t index) noexcept { return *writers_[index]; }

  /// The number after those in `directory`, which is made if it is missing.
  /// @throws CommandError: it holds logs, and the load does not go on with their run
  [[nodiscard]] static std::uint32_t next_publisher(const std::string& directory, bool go_on);

 private:
  std::string topic_;
  std::vector<std::unique_ptr<AcceptLogWriter>> writers_;
};

}  // namespace spillway::program
