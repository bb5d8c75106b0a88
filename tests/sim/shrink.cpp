#include "sim/shrink.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace spillway::sim {
namespace {

class Shrinker {
 public:
  Shrinker(Plan plan, Disks& disks, std::chrono::seconds limit)
      : best_{std::move(plan)},
        disks_{disks},
        deadline_{std::chrono::steady_clock::now() + limit} {}

  Plan shrink() {
    const RunResult first = run(best_, disks_, ignored_);
    if (!first.violation) return best_;
    promise_ = first.violation->promise;
    Plan listed = best_;
    listed.decisions = first.decisions;
    static_cast<void>(accept(std::move(listed)));
    cut_after(first.at);
    std::size_t before = 0;
    do {
      before = size();
      reduce([](Plan& plan) -> auto& { return plan.crashes; });
      reduce([](Plan& plan) -> auto& { return plan.outages; });
      reduce([](Plan& plan) -> auto& { return plan.publishes; });
      if (best_.decisions) reduce([](Plan& plan) -> auto& { return *plan.decisions; });
    } while (size() < before && has_time());
    return best_;
  }

 private:
  [[nodiscard]] bool has_time() const { return std::chrono::steady_clock::now() < deadline_; }
  [[nodiscard]] std::size_t size() const {
    return best_.crashes.size() + best_.outages.size() + best_.publishes.size() +
           (best_.decisions ? best_.decisions->size() : 0);
  }

  bool accept(Plan candidate) {
    const RunResult result = run(candidate, disks_, ignored_);
    if (!result.violation || result.violation->promise != promise_) return false;
    best_ = std::move(candidate);
    return true;
  }

  void cut_after(Duration at) {
    Plan cut = best_;
    const auto is_late = [at](const auto& event) { return event.at > at; };
    std::erase_if(cut.crashes, is_late);
    std::erase_if(cut.outages, is_late);
    std::erase_if(cut.publishes, is_late);
    static_cast<void>(accept(std::move(cut)));
  }

  template <class Part>
  void reduce(Part part) {
    for (std::size_t piece = part(best_).size(); piece != 0; piece /= 2) {
      for (std::size_t at = 0; at < part(best_).size() && has_time();) {
        Plan candidate = best_;
        auto& all = part(candidate);
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(at);
        all.erase(first, first + static_cast<std::ptrdiff_t>(std::min(piece, all.size() - at)));
        if (!accept(std::move(candidate))) at += piece;
      }
    }
  }

  Plan best_;
  Disks& disks_;
  std::chrono::steady_clock::time_point deadline_;
  Sometimes ignored_;
  std::string promise_;
};

}  // namespace

Plan shrink(const Plan& plan, Disks& disks, std::chrono::seconds limit) {
  return Shrinker{plan, disks, limit}.shrink();
}

}  // namespace spillway::sim
