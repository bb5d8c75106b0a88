#include "objectives.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ranges>
#include <system_error>

#include "command.hpp"
#include "load_report.hpp"
#include "text.hpp"

namespace spillway::program {
namespace {

struct Quantile {
  std::string_view name;
  double fraction;
  std::uint64_t Latency::*digest;
};
constexpr std::array quantiles{
    Quantile{"p50", 0.5, &Latency::p50_ns}, Quantile{"p90", 0.9, &Latency::p90_ns},
    Quantile{"p99", 0.99, &Latency::p99_ns}, Quantile{"p999", 0.999, &Latency::p999_ns},
    Quantile{"max", 1, &Latency::max_ns}};

struct Unit {
  std::string_view name;
  double ns;
};
constexpr std::array units{Unit{"ns", 1}, Unit{"us", 1e3}, Unit{"ms", 1e6}, Unit{"s", 1e9}};

constexpr std::array<std::string_view, 4> times{"publish", "due", "ack", "outbox"};
constexpr std::array<std::string_view, 4> counts{"lost", "spilled", "dead_letters", "refused"};
constexpr std::string_view rate = "rate";
constexpr const char* no_limit = "it has no limit; write it NAME=LIMIT, like publish_p99=10us";
// Above it, a double no longer tells each whole number from its neighbours.
constexpr double limit_max = 9e15;

[[noreturn]] void refuse(std::string_view objective, const std::string& why) {
  throw CommandError{ExitCode::usage, "--slo " + std::string{objective} + ": " + why};
}

// "publish_p99" → publish, p99; a name without "_" has no quantile.
std::pair<std::string_view, const Quantile*> split(std::string_view name) {
  const std::size_t at = name.rfind('_');
  if (at == std::string_view::npos) return {name, nullptr};
  const auto found = std::ranges::find(quantiles, name.substr(at + 1), &Quantile::name);
  return {name.substr(0, at), found == quantiles.end() ? nullptr : &*found};
}

ObjectiveKind kind_of(std::string_view objective, std::string_view name) {
  if (name == rate) return ObjectiveKind::rate;
  if (std::ranges::find(counts, name) != counts.end()) return ObjectiveKind::count;
  const auto [of, quantile] = split(name);
  if (quantile != nullptr && std::ranges::find(times, of) != times.end())
    return ObjectiveKind::time;
  refuse(objective,
         "no objective is named '" + std::string{name} +
             "'; there are publish, due, ack and outbox with _p50, _p90, _p99, _p999 or _max, "
             "and lost, spilled, dead_letters, refused, rate");
}

std::uint64_t limit_of(std::string_view objective, ObjectiveKind kind, std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || number < 0)
    refuse(objective, "'" + std::string{text} + "' is no limit; write it like 10us, or 0");
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (kind == ObjectiveKind::time) {
    const auto found = std::ranges::find(units, unit, &Unit::name);
    if (found == units.end()) {
      refuse(objective, (unit.empty() ? "a time needs a unit"
                                      : "'" + std::string{unit} + "' is no unit of time") +
                            "; there are ns, us, ms and s");
    }
    number *= found->ns;
  } else if (!unit.empty()) {
    refuse(objective, "a number has no unit; leave '" + std::string{unit} + "' out");
  }
  if (number > limit_max) refuse(objective, "the limit is too large to mean anything");
  return static_cast<std::uint64_t>(std::llround(number));
}

Objective parse_objective(std::string_view text) {
  const std::size_t at = text.find('=');
  if (at == std::string_view::npos) refuse(text, no_limit);
  Objective objective{.name = std::string{text.substr(0, at)}};
  objective.kind = kind_of(text, objective.name);
  objective.limit = limit_of(text, objective.kind, text.substr(at + 1));
  return objective;
}

// ---- What was seen ----

std::optional<std::uint64_t> at(const Histogram& histogram, const Quantile& quantile) {
  if (histogram.count() == 0) return {};
  return static_cast<std::uint64_t>(histogram.quantile(quantile.fraction).count());
}

std::optional<std::uint64_t> at(const Latency& latency, const Quantile& quantile) {
  if (latency.count == 0) return {};
  return latency.*quantile.digest;
}

std::optional<std::uint64_t> time_seen(const LoadReport& report, const std::string& name) {
  const auto [of, quantile] = split(name);
  if (of == "publish") return at(report.latency.call, *quantile);
  if (of == "due") return at(report.latency.from_due, *quantile);
  if (of == "ack") return at(report.metrics.ack, *quantile);
  return at(report.metrics.outbox_processing_delay_all, *quantile);
}

// Accepted, by the load's own count, and nowhere to be found.
std::uint64_t lost(const LoadReport& report) {
  const Metrics& metrics = report.metrics;
  const std::uint64_t accepted = report.accepted + metrics.recovered;
  const std::uint64_t known =
      metrics.delivered + metrics.spilled + metrics.dead_lettered + metrics.in_flight;
  return accepted > known ? accepted - known : 0;
}

std::uint64_t count_seen(const LoadReport& report, std::string_view name) {
  if (name == "lost") return lost(report);
  if (name == "spilled") return report.metrics.spilled;
  if (name == "dead_letters") return report.metrics.dead_lettered;
  return report.refused;
}

JudgedObjective judge(const Objective& objective, const LoadReport& report) {
  JudgedObjective judged{.objective = objective};
  switch (objective.kind) {
    case ObjectiveKind::time:
      judged.seen = time_seen(report, objective.name);
      break;
    case ObjectiveKind::count:
      judged.seen = count_seen(report, objective.name);
      break;
    case ObjectiveKind::rate:
      judged.seen = static_cast<std::uint64_t>(report.achieved_per_second());
      break;
  }
  if (judged.seen) {
    judged.is_met = objective.kind == ObjectiveKind::rate ? *judged.seen >= objective.limit
                                                          : *judged.seen <= objective.limit;
  }
  return judged;
}

std::string shown(const Objective& objective, std::uint64_t value) {
  return objective.kind == ObjectiveKind::time ? short_time(value) : grouped(value);
}

std::string seen_of(const JudgedObjective& judged) {
  return judged.seen ? shown(judged.objective, *judged.seen) : "nothing";
}

}  // namespace

std::vector<Objective> parse_objectives(std::string_view text) {
  if (text.empty()) refuse(text, no_limit);
  std::vector<Objective> objectives;
  for (const auto part : std::views::split(text, ','))
    objectives.push_back(parse_objective(std::string_view{part.begin(), part.end()}));
  return objectives;
}

std::vector<JudgedObjective> judge(const std::vector<Objective>& objectives,
                                   const LoadReport& report) {
  std::vector<JudgedObjective> judged;
  judged.reserve(objectives.size());
  for (const Objective& objective : objectives)
    judged.push_back(judge(objective, report));
  return judged;
}

nlohmann::ordered_json json_of(const std::vector<JudgedObjective>& objectives) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const JudgedObjective& judged : objectives) {
    nlohmann::ordered_json one{{"name", judged.objective.name},
                               {"limit", judged.objective.limit},
                               {"seen", nullptr},
                               {"unit", judged.objective.kind == ObjectiveKind::time ? "ns" : "1"},
                               {"met", judged.is_met}};
    if (judged.seen) one["seen"] = *judged.seen;
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<std::vector<std::string>> rows_of(const std::vector<JudgedObjective>& objectives) {
  std::vector<std::vector<std::string>> rows{{"objective", "limit", "seen", ""}};
  for (const JudgedObjective& judged : objectives) {
    const Objective& objective = judged.objective;
    rows.push_back({objective.name,
                    (objective.kind == ObjectiveKind::rate ? ">= " : "<= ") +
                        shown(objective, objective.limit),
                    seen_of(judged), judged.is_met ? "met" : "MISSED"});
  }
  return rows;
}

std::string missed_of(const std::vector<JudgedObjective>& objectives) {
  std::string text;
  for (const JudgedObjective& judged : objectives) {
    if (judged.is_met) continue;
    text += (text.empty() ? "" : "; ") + judged.objective.name + " is " + seen_of(judged);
  }
  return text;
}

}  // namespace spillway::program
