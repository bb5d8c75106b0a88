// tests/unit/core/lane_model_test.cpp: tests/model/lane.pml has the transitions of the table, and
// no others (P15).

#include <array>
#include <fstream>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "core/lane_states.hpp"

namespace spillway::core {
namespace {

using namespace std::chrono_literals;

using Transitions = std::set<std::pair<std::string, std::string>>;

constexpr std::array states{LaneState::direct, LaneState::spilling, LaneState::returning,
                            LaneState::recalling};
constexpr std::size_t fact_bits = 13;
constexpr LaneLimits limits{.backlog_rows_max = 100, .high_water_percent = 50, .return_within = 1s};
constexpr Instant now{1h};

/// Every fact is on one side of its limit or on the other.
LaneFacts facts_of(unsigned bits) {
  const auto bit = [&bits] {
    const bool is_set = (bits & 1U) != 0;
    bits >>= 1U;
    return is_set;
  };
  LaneFacts seen;
  seen.producer_fatal = bit();
  seen.broker_gone = bit();
  seen.batch_refused = bit();
  seen.topic_unknown = bit();
  seen.outbox_owed = bit();
  if (bit()) seen.oldest_unreported_at = now - 1min;
  seen.reports_owed = bit() ? 1 : 0;
  seen.held = bit() ? 1 : 0;
  seen.producer_warm = bit();
  seen.outbox_untouched = bit();
  seen.outbox_drained = bit();
  seen.backlog_rows = bit() ? 1'000 : 0;
  seen.journal_percent = bit() ? 100 : 0;
  return seen;
}

Transitions of_the_table() {
  Transitions found;
  for (const LaneState from : states) {
    for (unsigned bits = 0; bits < (1U << fact_bits); ++bits) {
      const LaneState to = next_state(from, facts_of(bits), limits, now);
      if (to != from) found.emplace(name_of(from), name_of(to));
    }
  }
  return found;
}

Transitions of_the_model() {
  std::ostringstream text;
  text << std::ifstream{SPILLWAY_LANE_MODEL}.rdbuf();
  const std::string model = text.str();
  const std::regex move{R"(move\((direct|spilling|returning|recalling), (\w+)\))"};
  Transitions found;
  for (std::sregex_iterator at{model.begin(), model.end(), move}, end; at != end; ++at)
    found.emplace((*at)[1], (*at)[2]);
  return found;
}

TEST(LaneModel, HasTheTransitionsOfTheTable) {
  EXPECT_EQ(of_the_model(), of_the_table());
  EXPECT_EQ(of_the_table().size(), 8U);
}

}  // namespace
}  // namespace spillway::core
