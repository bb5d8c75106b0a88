// tests/unit/program/metrics_families_test.cpp: the names that dashboards rely on, and no NaN when
// idle.

#include "metrics_families.hpp"

#include <limits>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

namespace spillway::program {
namespace {

std::string text_of(const std::vector<prometheus::MetricFamily>& families) {
  return prometheus::TextSerializer{}.Serialize(families);
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(MetricsFamilies, CarryTheAgreedNames) {
  Metrics metrics;
  metrics.kafka_publish_success_rate = 0.75;
  metrics.outbox_fallback_rate = 0.25;
  metrics.outbox_queue_depth = 7;
  metrics.accepted = 100;
  metrics.lanes.resize(2);
  metrics.lanes[1].state = LaneState::spilling;
  metrics.outbox_processing_delay = {
      .count = 3, .sum_ns = 1'500'000'000, .buckets = {{100'000, 1}, {UINT64_MAX, 3}}};

  const std::string text = text_of(families_of(metrics));

  for (const char* line : {
           "kafka_publish_success_rate 0.75",
           "outbox_fallback_rate 0.25",
           "outbox_queue_depth 7",
           "outbox_processing_delay_count{rows=\"kafka_up\"} 3",
           "outbox_processing_delay_sum{rows=\"kafka_up\"} 1.5",
           "outbox_processing_delay_bucket{rows=\"kafka_up\",le=\"0.0001\"} 1",
           "outbox_processing_delay_bucket{rows=\"kafka_up\",le=\"+Inf\"} 3",
           "outbox_processing_delay_count{rows=\"all\"} 0",
           "spillway_accepted_total 100",
           "spillway_lane_state{lane=\"0\",state=\"direct\"} 1",
           "spillway_lane_state{lane=\"1\",state=\"direct\"} 0",
           "spillway_lane_state{lane=\"1\",state=\"spilling\"} 1",
       }) {
    EXPECT_TRUE(has_line(text, line)) << line << "\nis not in\n" << text;
  }
}

TEST(MetricsFamilies, AreNumbersWhenNothingHasHappened) {
  const std::string text = text_of(families_of(Metrics{})) + text_of(families_of(RelayReport{}));

  EXPECT_TRUE(has_line(text, "kafka_publish_success_rate 1"));
  EXPECT_TRUE(has_line(text, "outbox_fallback_rate 0"));
  EXPECT_EQ(text.find("Nan"), std::string::npos);
}

TEST(MetricsFamilies, EachHaveANameOfTheirOwn) {
  std::set<std::string> names;
  for (const auto& family : families_of(Metrics{})) {
    EXPECT_TRUE(names.insert(family.name).second) << family.name;
    EXPECT_FALSE(family.help.empty()) << family.name;
  }
}

}  // namespace
}  // namespace spillway::program
