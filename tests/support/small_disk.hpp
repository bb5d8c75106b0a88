// tests/support/small_disk.hpp: a file system of a test's own, so small that it really fills.
//
// A tmpfs: to mount one takes root (CAP_SYS_ADMIN).

#pragma once

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <sys/mount.h>

#include "support/temporary_directory.hpp"

namespace spillway::test {

class SmallDisk {
 public:
  /// @throws std::runtime_error when this user may not: what cannot be tested has not passed
  explicit SmallDisk(std::size_t bytes) {
    if (mount(bytes, 0)) return;
    throw std::runtime_error{std::string{"cannot mount a tmpfs: "} +
                             std::generic_category().message(errno) +
                             "; it takes root (CAP_SYS_ADMIN): run the test as root, or leave it "
                             "out with ctest -E DiskFull"};
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    // Also while somebody has a file of it open: it is gone with the last of them.
    ::umount2(directory_.path().c_str(), MNT_DETACH);
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return directory_.path(); }
  [[nodiscard]] std::string file(const std::string& name) const { return directory_.file(name); }
  [[nodiscard]] std::size_t free_bytes() const {
    return std::filesystem::space(directory_.path()).available;
  }

  /// What is on it stays.
  void resize(std::size_t bytes) {
    if (!mount(bytes, MS_REMOUNT)) {
      throw std::runtime_error{std::string{"cannot resize a tmpfs: "} +
                               std::generic_category().message(errno)};
    }
  }
  /// With a file that takes all that is left.
  void fill() const {
    std::ofstream filler{file("filler"), std::ios::binary};
    const std::vector<char> zeros(free_bytes());
    filler.write(zeros.data(), static_cast<std::streamsize>(zeros.size()));
  }

 private:
  bool mount(std::size_t bytes, unsigned long flags) const {
    const std::string size = "size=" + std::to_string(bytes) + ",mode=0755";
    return ::mount("spillway-test", directory_.path().c_str(), "tmpfs", flags, size.c_str()) == 0;
  }

  TemporaryDirectory directory_;
};

}  // namespace spillway::test
