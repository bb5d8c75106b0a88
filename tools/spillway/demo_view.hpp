// tools/spillway/demo_view.hpp: the demo while it runs: redrawn on a terminal, one line a second
// in a pipe.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "histogram.hpp"
#include "load_generator.hpp"
#include "spillway/metrics.hpp"

namespace spillway::program {

class DemoView {
 public:
  /// Draws to standard output, or to standard error when that is for JSON.
  explicit DemoView(bool json);
  DemoView(const DemoView&) = delete;
  DemoView& operator=(const DemoView&) = delete;
  ~DemoView() = default;

  /// A new run: rates and percentiles begin anew.
  void begin(const std::string& title);
  /// Something happened: a line that stays.
  void tell(std::chrono::nanoseconds at, const std::string& event);
  /// What the pipeline logs: shown with the next drawing. @thread any
  void log(std::string_view line);
  /// Draws when it is time to: five times a second, or once.
  void show(std::chrono::nanoseconds at, const Metrics& metrics, const LoadGenerator& load);
  /// Removes what is redrawn.
  void end();

 private:
  /// What has passed since the last drawing, for each second.
  struct Rates {
    double accepted = 0;
    double delivered = 0;
    double spilled = 0;
    double relayed = 0;
    std::chrono::nanoseconds publish_p99{};
  };
  [[nodiscard]] Rates rates_since_last(std::chrono::nanoseconds at, const Metrics& metrics,
                                       const LoadGenerator& load);
  void redraw(std::chrono::nanoseconds at, const Metrics& metrics, const Rates& rates);
  void print_line(std::chrono::nanoseconds at, const Metrics& metrics, const Rates& rates);
  [[nodiscard]] std::chrono::milliseconds interval() const noexcept;
  void print_logged();
  [[nodiscard]] std::string coloured_state(LaneState state) const;
  [[nodiscard]] std::string coloured_server(bool is_up, const std::string& name) const;

  std::ostream& out_;
  int descriptor_;
  bool on_terminal_;
  std::size_t drawn_lines_ = 0;
  std::optional<std::chrono::nanoseconds> last_at_;
  std::uint64_t accepted_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t spilled_ = 0;
  std::uint64_t relayed_ = 0;
  Histogram calls_;
  std::mutex logged_mutex_;
  std::vector<std::string> logged_;
};

}  // namespace spillway::program
