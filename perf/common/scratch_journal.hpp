// perf/common/scratch_journal.hpp: a journal's path for one run; the file ends with it.

#pragma once

#include <string>

namespace spillway::perf {

class ScratchJournal {
 public:
  ScratchJournal();
  ScratchJournal(const ScratchJournal&) = delete;
  ScratchJournal& operator=(const ScratchJournal&) = delete;
  ~ScratchJournal();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace spillway::perf
