#include "perf/common/own_process.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <unistd.h>

namespace spillway::perf {

double resident_mib() {
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t all_pages = 0;
  std::uint64_t resident_pages = 0;
  statm >> all_pages >> resident_pages;
  return static_cast<double>(resident_pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)) /
         (1 << 20);
}

double descriptors() {
  const std::filesystem::directory_iterator open{"/proc/self/fd"};
  // The directory is read through one of its own.
  return static_cast<double>(std::distance(begin(open), end(open)) - 1);
}

}  // namespace spillway::perf
