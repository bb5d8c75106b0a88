#include "perf/common/scratch_journal.hpp"

#include <atomic>
#include <filesystem>
#include <system_error>

#include <unistd.h>

namespace spillway::perf {
namespace {

std::string next_path() {
  static std::atomic<unsigned> made = 0;
  return "/dev/shm/spillway-perf-" + std::to_string(::getpid()) + "-" +
         std::to_string(made.fetch_add(1, std::memory_order_relaxed)) + ".journal";
}

}  // namespace

ScratchJournal::ScratchJournal() : path_{next_path()} {
  std::filesystem::remove(path_);  // of a process that was killed and had our id
}

ScratchJournal::~ScratchJournal() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace spillway::perf
