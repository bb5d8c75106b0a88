// perf/common/program.hpp: what every measuring program shares: its flags, the servers, how it
// ends.
//
//   int main(int argc, char** argv) {
//     Program program{{.name = "throughput", .about = "...", .pairs = 30, .seconds = 300}};
//     program.flags().add_option("--lanes", lanes, "...");
//     return program.run(argc, argv, [&] { measure(program, lanes); });
//   }

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include <CLI/CLI.hpp>

#include "perf/common/report_lines.hpp"
#include "spillway/config.hpp"

namespace spillway::perf {

struct ProgramDefaults {
  std::string name;
  std::string about;
  std::size_t pairs = 30;
  std::size_t pairs_quick = 3;
  double seconds = 600;
  double seconds_quick = 60;
};

class Program {
 public:
  explicit Program(ProgramDefaults defaults);

  /// For flags of its own; `value`s must outlive run().
  [[nodiscard]] CLI::App& flags() noexcept { return app_; }

  /// Parses, loads the settings, makes the outbox's tables, measures. The exit code: 0 measured, 2
  /// usage, 3 a server could not be used.
  [[nodiscard]] int run(int argc, char** argv, const std::function<void()>& measure);

  // ---- Inside `measure` ----

  [[nodiscard]] const std::string& name() const noexcept { return defaults_.name; }
  [[nodiscard]] bool is_quick() const noexcept { return quick_; }
  /// Of each variant; for programs without pairs, runs.
  [[nodiscard]] std::size_t pairs() const noexcept { return pairs_; }
  /// What has not been measured by then is left out.
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const noexcept {
    return deadline_;
  }
  [[nodiscard]] bool is_over() const noexcept;

  /// Those of the variables (SPILLWAY_KAFKA, ...), with no relay of its own, and logging errors
  /// only.
  [[nodiscard]] const Config& config() const noexcept { return config_; }

  /// The effective settings, secrets hidden, and what the program adds.
  void put_settings(const Json& own) const;

 private:
  void load(double seconds);

  ProgramDefaults defaults_;
  CLI::App app_;
  bool quick_ = false;
  std::size_t pairs_ = 0;
  double seconds_ = 0;
  std::chrono::steady_clock::time_point deadline_;
  Config config_;
  std::map<std::string, std::string> settings_;
};

}  // namespace spillway::perf
