#include "perf/common/cpu_time.hpp"

#include <array>
#include <cstddef>
#include <fstream>
#include <numeric>
#include <string>

#include <sys/resource.h>

namespace spillway::perf {
namespace {

struct Ticks {
  std::uint64_t stolen = 0;
  std::uint64_t all = 0;
};

// "cpu user nice system idle iowait irq softirq steal ..."; guests' time is in user's already.
Ticks read_ticks() {
  constexpr std::size_t steal_field = 7;
  std::ifstream file{"/proc/stat"};
  std::string name;
  file >> name;
  std::array<std::uint64_t, steal_field + 1> fields{};
  for (std::uint64_t& field : fields)
    file >> field;
  return {.stolen = fields[steal_field],
          .all = std::accumulate(fields.begin(), fields.end(), std::uint64_t{0})};
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
}

StealMeter::StealMeter() {
  const Ticks now = read_ticks();
  stolen_ = now.stolen;
  all_ = now.all;
}

double StealMeter::share() const {
  const Ticks now = read_ticks();
  if (now.all <= all_) return 0;
  return static_cast<double>(now.stolen - stolen_) / static_cast<double>(now.all - all_);
}

}  // namespace spillway::perf
