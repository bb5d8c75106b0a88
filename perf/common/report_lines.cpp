#include "perf/common/report_lines.hpp"

#include <iostream>

namespace spillway::perf {
namespace {

// Flushed: a run that is ended early has told what it had.
void put(const Json& line) {
  std::cout << line.dump() << std::endl;
}

const char* name_of(Better better) {
  return better == Better::more ? "more" : "less";
}

Json line_of(const char* kind, const Measure& measure) {
  return {
      {"kind", kind},         {"figure", measure.figure},          {"metric", measure.metric},
      {"unit", measure.unit}, {"better", name_of(measure.better)}, {"variant", measure.variant}};
}

}  // namespace

void put_settings(const std::string& program, const Json& settings) {
  Json line{{"kind", "settings"}, {"program", program}};
  line.update(settings);
  put(line);
}

void put_pair(const Measure& measure, const PairLine& pair) {
  Json line = line_of("pair", measure);
  line["ours"] = pair.ours;
  line["baseline"] = pair.baseline;
  line["pair"] = pair.number;
  line["order"] = pair.ours_first ? "AB" : "BA";
  line["steal"] = pair.steal;
  put(line);
}

void put_sample(const Measure& measure, const SampleLine& sample) {
  Json line = line_of("sample", measure);
  line["value"] = sample.value;
  line["run"] = sample.run;
  if (!sample.parts.empty()) line["parts"] = sample.parts;
  if (sample.baseline) line["baseline"] = *sample.baseline;
  put(line);
}

void put_count(const Measure& measure, double value, double limit) {
  Json line = line_of("count", measure);
  line.erase("better");
  line["value"] = value;
  line["limit"] = limit;
  put(line);
}

void put_histogram(const std::string& figure, const std::string& variant, Series series,
                   const program::Histogram& nanoseconds) {
  Json buckets = Json::array();
  nanoseconds.for_each([&buckets](std::uint64_t upper_edge, std::uint64_t count) {
    buckets.push_back(Json::array({upper_edge, count}));
  });
  put({{"kind", "histogram"},
       {"figure", figure},
       {"variant", variant},
       {"series", series == Series::ours ? "ours" : "baseline"},
       {"unit", "ns"},
       {"buckets", std::move(buckets)}});
}

void put_series(const Measure& measure, const SeriesLine& series) {
  put({{"kind", "series"},
       {"figure", measure.figure},
       {"variant", measure.variant},
       {"series", series.series},
       {"unit", measure.unit},
       {"step_s", series.step_s},
       {"values", series.values}});
}

void put_fault(const std::string& figure, const std::string& variant, const FaultLine& fault) {
  put({{"kind", "fault"},
       {"figure", figure},
       {"variant", variant},
       {"label", fault.label},
       {"from_s", fault.from_s},
       {"to_s", fault.to_s}});
}

void put_void(const std::string& figure, const std::string& variant, const std::string& reason) {
  put({{"kind", "void"}, {"figure", figure}, {"variant", variant}, {"reason", reason}});
}

void note(const std::string& text) {
  std::cerr << text << '\n';
}

}  // namespace spillway::perf
