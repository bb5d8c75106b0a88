// tests/fault/outage_series_test.cpp: guards P8: an outage of Kafka makes no copy, however often.
//
// SPILLWAY_TEST_ROUNDS says how many outages there are of each kind (2 unless it is set;
// `tools/soak outages` sets it). A copy that a fatal producer error explains is marked, and each
// such error is counted: the last line of each test is a row of the README's table.

#include <chrono>
#include <cmath>
#include <functional>
#include <iostream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "fault/under_fault.hpp"

namespace spillway::test {
namespace {

using std::chrono::milliseconds;

unsigned rounds() {
  return static_cast<unsigned>(number_from("SPILLWAY_TEST_ROUNDS", 2));
}

// From `first` to `last` in equal ratios, so that short ones are as frequent as long ones.
milliseconds duration_of(unsigned round, milliseconds first, milliseconds last) {
  if (rounds() == 1) return first;
  const double ratio = static_cast<double>(last.count()) / static_cast<double>(first.count());
  const double power = static_cast<double>(round) / (rounds() - 1);
  return milliseconds{
      static_cast<milliseconds::rep>(static_cast<double>(first.count()) * std::pow(ratio, power))};
}

class OutageSeries : public UnderFault {
 protected:
  void run_series(const std::string& name, const std::function<void(unsigned)>& outage) {
    constexpr double envelopes_per_second = 20'000;
    Config settings = proxied_config();
    settings.journal.size_bytes = std::size_t{256} << 20;
    Pipeline pipeline = Pipeline::open(settings);
    program::LoadGenerator load = load_on(pipeline, envelopes_per_second);
    for (unsigned round = 0; round < rounds(); ++round) {
      ASSERT_TRUE(eventually(patience, [&] { return all_direct(pipeline.counters()); }))
          << name << " " << round;
      const std::uint64_t before = pipeline.counters().delivered;
      // More than a second: the lanes are as impatient again as before their return.
      ASSERT_TRUE(
          eventually(patience, [&] { return pipeline.counters().delivered > before + 30'000; }));
      outage(round);
    }
    EXPECT_TRUE(eventually(patience, [&] { return all_direct(pipeline.counters()); }));
    load.stop();
    EXPECT_TRUE(ends_quiet(pipeline));

    const Metrics seen = pipeline.counters();
    const std::uint64_t fatal = sum(seen, &LaneMetrics::recalls) + seen.relay.fatal_errors;
    expect_conserved(seen);
    const verify::AuditResult result = audit();
    EXPECT_EQ(result.marked_recovery + result.marked_lease, 0) << "nobody died but the broker";
    EXPECT_TRUE(fatal != 0 || result.duplicates_marked == 0);
    expect_audit_clean(copies_of(seen));
    std::cout << name << ": " << rounds() << " outages, " << result.messages << " messages, "
              << result.count(verify::Kind::duplicate_unmarked) << " unmarked copies, " << fatal
              << " fatal errors, " << result.duplicates_marked << " marked copies\n";
  }
};

TEST_F(OutageSeries, KillsMakeNoCopies) {
  run_series("kills", [this](unsigned) { const Killed broker{stack(), Server::kafka}; });
}

TEST_F(OutageSeries, HangsMakeNoCopies) {
  run_series("hangs", [this](unsigned round) {
    const Paused broker{stack(), Server::kafka};
    std::this_thread::sleep_for(duration_of(round, milliseconds{200}, milliseconds{10'000}));
  });
}

TEST_F(OutageSeries, CutsMakeNoCopies) {
  run_series("cuts", [this](unsigned round) {
    kafka_link.cut();
    std::this_thread::sleep_for(duration_of(round, milliseconds{20}, milliseconds{5'000}));
    kafka_link.mend();
  });
}

}  // namespace
}  // namespace spillway::test
