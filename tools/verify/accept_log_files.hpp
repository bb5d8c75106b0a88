// tools/verify/accept_log_files.hpp: accept logs in a directory, one file for each publisher.
//
// A file is a header in its first page and then an Accept of 32 bytes for each call, all
// little-endian; what follows the calls that the header counts is room for more. Whoever writes it
// does so in a shared mapping, so it is true when the process is killed.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "verify/accepts.hpp"

namespace spillway::verify {

struct AcceptLogHeader {
  std::uint64_t magic = 0;
  std::uint64_t run = 0;
  std::uint32_t version = 0;
  std::uint32_t publisher = 0;
  std::uint64_t begun = 0;  ///< Calls, raised before each.
};
static_assert(sizeof(AcceptLogHeader) == 32 &&
              std::has_unique_object_representations_v<AcceptLogHeader>);
inline constexpr std::uint64_t accept_log_magic = 0x474F4C5443434157;  // "WACCTLOG"
inline constexpr std::uint32_t accept_log_version = 1;
inline constexpr std::size_t accept_log_header_bytes = 4096;

/// "publisher-0007.accepts".
[[nodiscard]] std::string accept_log_name(std::uint32_t publisher);

/// All accept logs of a directory, mapped.
class AcceptLogFiles {
 public:
  /// @throws SourceError: no such directory, or a file in it is no accept log
  explicit AcceptLogFiles(const std::string& directory);
  AcceptLogFiles(const AcceptLogFiles&) = delete;
  AcceptLogFiles& operator=(const AcceptLogFiles&) = delete;
  ~AcceptLogFiles();

  /// Valid as long as this. A log that was cut has fewer calls than it begun.
  [[nodiscard]] const std::vector<AcceptLog>& logs() const noexcept { return logs_; }

 private:
  void map(const std::string& path);

  struct Mapping {
    void* address;
    std::size_t bytes;
  };
  std::vector<Mapping> mappings_;
  std::vector<AcceptLog> logs_;
};

}  // namespace spillway::verify
