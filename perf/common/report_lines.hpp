// perf/common/report_lines.hpp: what a program found out, as JSON: one object for each line of
// standard output.
//
// perf/run reads them; what is for people only goes to standard error, by note().

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/spillway/histogram.hpp"

namespace spillway::perf {

using Json = nlohmann::ordered_json;

enum class Better : std::uint8_t { more, less };

struct Measure {
  std::string figure;   ///< "F4"
  std::string metric;   ///< "acked throughput"
  std::string unit;     ///< "msg/s"
  std::string variant;  ///< "200 B, 1 partition"
  Better better = Better::more;
};

/// Of a program's settings; no line of another kind comes before it.
void put_settings(const std::string& program, const Json& settings);

/// A slice of each side, one right after the other.
struct PairLine {
  double ours = 0;
  double baseline = 0;
  std::size_t number = 0;
  bool ours_first = true;
  double steal = 0;  ///< Of all CPU time in the meantime, 0 to 1.
};
void put_pair(const Measure& measure, const PairLine& pair);

struct SampleLine {
  double value = 0;
  std::size_t run = 0;
  std::map<std::string, double> parts = {};  ///< What the value is made of.
  std::optional<double> baseline = {};
};
void put_sample(const Measure& measure, const SampleLine& sample);

/// `better` counts for nothing: a limit is one that is not exceeded.
void put_count(const Measure& measure, double value, double limit);

enum class Series : std::uint8_t { ours, baseline };
void put_histogram(const std::string& figure, const std::string& variant, Series series,
                   const program::Histogram& nanoseconds);

struct SeriesLine {
  std::string series;  ///< "acked"
  double step_s = 0.1;
  std::vector<double> values = {};
};
/// The measure's metric is not told: `series` says what it is.
void put_series(const Measure& measure, const SeriesLine& series);

struct FaultLine {
  std::string label;
  double from_s = 0;
  double to_s = 0;
};
void put_fault(const std::string& figure, const std::string& variant, const FaultLine& fault);

/// Something was measured that does not count.
void put_void(const std::string& figure, const std::string& variant, const std::string& reason);

/// Progress, for whoever looks on.
void note(const std::string& text);

}  // namespace spillway::perf
