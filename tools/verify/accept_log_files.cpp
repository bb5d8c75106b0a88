#include "verify/accept_log_files.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify/sources.hpp"

namespace spillway::verify {
namespace {

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

constexpr std::string_view suffix = ".accepts";

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw SourceError{path + ": " + why};
}

}  // namespace

std::string accept_log_name(std::uint32_t publisher) {
  std::string digits = std::to_string(publisher);
  digits.insert(0, 4 - std::min<std::size_t>(4, digits.size()), '0');
  return "publisher-" + digits + std::string{suffix};
}

AcceptLogFiles::AcceptLogFiles(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator{directory, error}) {
    if (entry.path().extension() == suffix) paths.push_back(entry.path().string());
  }
  if (error) fail(directory, error.message());
  if (paths.empty()) fail(directory, "no accept log of `spillway load --accept-log` is in it");
  std::ranges::sort(paths);
  for (const std::string& path : paths)
    map(path);
}

AcceptLogFiles::~AcceptLogFiles() {
  for (const Mapping& mapping : mappings_)
    ::munmap(mapping.address, mapping.bytes);
}

void AcceptLogFiles::map(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(path, std::generic_category().message(errno));
  struct stat status {};
  const bool known = ::fstat(file, &status) == 0;
  const auto bytes = known ? static_cast<std::size_t>(status.st_size) : 0;
  void* const address = bytes < accept_log_header_bytes
                            ? MAP_FAILED
                            : ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  if (address == MAP_FAILED) fail(path, "is no accept log, or was cut in its header");
  mappings_.push_back({.address = address, .bytes = bytes});

  AcceptLogHeader header;
  std::memcpy(&header, address, sizeof header);
  if (header.magic != accept_log_magic || header.version != accept_log_version) {
    fail(path, "is no accept log of this version");
  }
  // The mapping is aligned to a page and holds Accepts as the writer's did: the layout is checked
  // beside the struct.
  const auto* const calls =
      reinterpret_cast<const Accept*>(static_cast<const char*>(address) + accept_log_header_bytes);
  const std::size_t room = (bytes - accept_log_header_bytes) / sizeof(Accept);
  logs_.push_back({.run = header.run,
                   .publisher = header.publisher,
                   .begun = header.begun,
                   .calls = {calls, std::min<std::size_t>(room, header.begun)}});
}

}  // namespace spillway::verify
