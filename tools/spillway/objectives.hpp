// tools/spillway/objectives.hpp: what a load has to keep to, `--slo publish_p99=10us,lost=0`, and
// whether it did.
//
// publish, due, ack or outbox, with _p50, _p90, _p99, _p999 or _max: times, at most; `publish` is
// the call alone, `due` counts from the moment due. lost, spilled, dead_letters, refused: at most.
// rate: accepted envelopes a second, at least.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace spillway::program {

struct LoadReport;

enum class ObjectiveKind : std::uint8_t { time, count, rate };

struct Objective {
  std::string name;
  ObjectiveKind kind = ObjectiveKind::time;
  std::uint64_t limit = 0;  ///< Nanoseconds, or a number.
};

struct JudgedObjective {
  Objective objective;
  std::optional<std::uint64_t> seen = {};  ///< Nothing: no envelope took this way.
  bool is_met = false;                     ///< Never, when nothing was seen.
};

/// @throws CommandError that names the way out
[[nodiscard]] std::vector<Objective> parse_objectives(std::string_view text);

[[nodiscard]] std::vector<JudgedObjective> judge(const std::vector<Objective>& objectives,
                                                 const LoadReport& report);

[[nodiscard]] nlohmann::ordered_json json_of(const std::vector<JudgedObjective>& objectives);
/// A row for each, below a heading: objective, limit, seen, met or MISSED.
[[nodiscard]] std::vector<std::vector<std::string>> rows_of(
    const std::vector<JudgedObjective>& objectives);

/// "ack_p99 is 61.0 ms; lost is 2"; empty when all are met.
[[nodiscard]] std::string missed_of(const std::vector<JudgedObjective>& objectives);

}  // namespace spillway::program
