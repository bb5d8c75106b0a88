// tests/unit/program/objectives_test.cpp: what `load --slo` understands, and what it calls missed.

#include "objectives.hpp"

#include <array>
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "command.hpp"
#include "load_report.hpp"

namespace spillway::program {
namespace {

using namespace std::chrono_literals;

JudgedObjective judged(const std::string& text, const LoadReport& report) {
  return judge(parse_objectives(text), report).at(0);
}

TEST(Objectives, AreNamesWithLimits) {
  const auto objectives = parse_objectives("publish_p99=10us,ack_p999=1.5ms,due_max=2s,lost=0");
  ASSERT_EQ(objectives.size(), 4);
  EXPECT_EQ(objectives[0].name, "publish_p99");
  EXPECT_EQ(objectives[0].limit, 10'000);
  EXPECT_EQ(objectives[1].limit, 1'500'000);
  EXPECT_EQ(objectives[2].limit, 2'000'000'000);
  EXPECT_EQ(objectives[3].kind, ObjectiveKind::count);
  EXPECT_EQ(objectives[3].limit, 0);
}

struct Refusal {
  const char* text;
  const char* error;
};
constexpr const char* names =
    "; there are publish, due, ack and outbox with _p50, _p90, _p99, _p999 or _max, and lost, "
    "spilled, dead_letters, refused, rate";
constexpr std::array refusals{
    Refusal{"publish_p99", ": it has no limit; write it NAME=LIMIT, like publish_p99=10us"},
    Refusal{"", ": it has no limit; write it NAME=LIMIT, like publish_p99=10us"},
    Refusal{"lost=0,", ": it has no limit; write it NAME=LIMIT, like publish_p99=10us"},
    Refusal{"publish_p98=1ms", names},
    Refusal{"latency_p99=1ms", names},
    Refusal{"publish=1ms", names},
    Refusal{"ack_p99=50", ": a time needs a unit; there are ns, us, ms and s"},
    Refusal{"ack_p99=50min", ": 'min' is no unit of time; there are ns, us, ms and s"},
    Refusal{"ack_p99=", ": '' is no limit; write it like 10us, or 0"},
    Refusal{"ack_p99=fast", ": 'fast' is no limit; write it like 10us, or 0"},
    Refusal{"ack_p99=-1ms", ": '-1ms' is no limit; write it like 10us, or 0"},
    Refusal{"ack_p99=99999999s", ": the limit is too large to mean anything"},
    Refusal{"lost=0ms", ": a number has no unit; leave 'ms' out"},
};

TEST(Objectives, ThatAreNotUnderstoodNameTheWayOut) {
  for (const auto& [text, error] : refusals) {
    try {
      static_cast<void>(parse_objectives(text));
      ADD_FAILURE() << "taken: " << text;
    } catch (const CommandError& refused) {
      EXPECT_EQ(refused.code(), ExitCode::usage) << text;
      EXPECT_NE(std::string{refused.what()}.find(error), std::string::npos) << refused.what();
    }
  }
}

TEST(Objectives, OfATimeAreMetAtTheirLimitAndNotAboveIt) {
  LoadReport report;
  report.latency.call.count(2'000ns);
  report.latency.from_due.count(70us);
  report.metrics.ack.count = 1;
  report.metrics.ack.p50_ns = 5'000'000;
  report.metrics.ack.p99_ns = 50'000'001;
  report.metrics.outbox_processing_delay_all.count = 1;
  report.metrics.outbox_processing_delay_all.max_ns = 7'000'000;

  EXPECT_TRUE(judged("publish_p99=2us", report).is_met);
  EXPECT_FALSE(judged("publish_p99=1999ns", report).is_met);
  EXPECT_FALSE(judged("due_p50=60us", report).is_met);
  EXPECT_TRUE(judged("ack_p50=5ms", report).is_met);
  EXPECT_FALSE(judged("ack_p99=50ms", report).is_met);
  EXPECT_TRUE(judged("outbox_max=7ms", report).is_met);
}

TEST(Objectives, ThatNothingWasSeenForAreMissed) {
  const JudgedObjective ack = judged("ack_p99=50ms", LoadReport{});
  EXPECT_FALSE(ack.is_met);
  EXPECT_FALSE(ack.seen);
  EXPECT_EQ(missed_of({ack}), "ack_p99 is nothing");
}

TEST(Objectives, LostIsWhatWasAcceptedAndIsNowhere) {
  LoadReport report;
  report.accepted = 100;
  report.metrics.recovered = 5;
  report.metrics.delivered = 70;
  report.metrics.spilled = 20;
  report.metrics.dead_lettered = 3;
  report.metrics.in_flight = 12;
  EXPECT_TRUE(judged("lost=0", report).is_met);

  report.metrics.in_flight = 10;
  EXPECT_EQ(judged("lost=0", report).seen, 2);
  EXPECT_FALSE(judged("lost=0", report).is_met);
}

TEST(Objectives, OfARateAreALeast) {
  LoadReport report;
  report.accepted = 20'000;
  report.seconds = 1;
  EXPECT_TRUE(judged("rate=20000", report).is_met);
  EXPECT_FALSE(judged("rate=20001", report).is_met);
}

TEST(Objectives, AreShownWithWhatWasSeen) {
  LoadReport report;
  report.refused = 1'234;
  report.latency.call.count(700ns);
  const auto all = judge(parse_objectives("publish_p99=10us,refused=0"), report);
  EXPECT_EQ(rows_of(all),
            (std::vector<std::vector<std::string>>{{"objective", "limit", "seen", ""},
                                                   {"publish_p99", "<= 10.0 us", "700 ns", "met"},
                                                   {"refused", "<= 0", "1,234", "MISSED"}}));
  EXPECT_EQ(json_of(all).dump(),
            R"([{"name":"publish_p99","limit":10000,"seen":700,"unit":"ns","met":true},)"
            R"({"name":"refused","limit":0,"seen":1234,"unit":"1","met":false}])");
  EXPECT_EQ(missed_of(all), "refused is 1,234");
}

}  // namespace
}  // namespace spillway::program
