// tests/history/mutations_test.cpp: each mutation is caught under the promise that it breaks, each
// damaged input has no verdict, and what no promise forbids is not blamed.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "history/mutation.hpp"
#include "history/true_history.hpp"
#include "verify/report.hpp"

namespace spillway::history {
namespace {

constexpr int applied_min = 50;
constexpr std::uint64_t seeds_max = 20'000;
constexpr std::uint64_t records_max = 300;

// Applies one change to true histories until `applied_min` had a site for it.
template <class Change, class Check>
void apply_often(const Change& change, const Check& check) {
  int applied = 0;
  for (std::uint64_t seed = 0; applied < applied_min; ++seed) {
    ASSERT_LT(seed, seeds_max) << change.id << " found only " << applied << " sites";
    verify::History history = true_history(seed, records_max);
    Random random{seed};
    if (!change.apply(history, random)) continue;
    ++applied;
    const verify::AuditResult result = judge(history);
    ASSERT_TRUE(check(result)) << change.id << " (" << change.name << "), seed " << seed << '\n'
                               << verify::text_report(result);
  }
}

std::string name_of_case(std::string_view id) {
  return std::string{id};
}

class Mutations : public testing::TestWithParam<Mutation> {};
TEST_P(Mutations, IsCaughtUnderItsPromise) {
  apply_often(GetParam(), [](const verify::AuditResult& result) {
    return result.judgement(GetParam().broken) == verify::Judgement::violated &&
           result.verdict() == verify::Verdict::violated;
  });
}
INSTANTIATE_TEST_SUITE_P(History, Mutations, testing::ValuesIn(all_mutations()),
                         [](const auto& row) { return name_of_case(row.param.id); });

class Damages : public testing::TestWithParam<Damage> {};
TEST_P(Damages, HasNoVerdict) {
  apply_often(GetParam(), [](const verify::AuditResult& result) {
    return result.verdict() == verify::Verdict::inconclusive;
  });
}
INSTANTIATE_TEST_SUITE_P(History, Damages, testing::ValuesIn(all_damages()),
                         [](const auto& row) { return name_of_case(row.param.id); });

class SilentChanges : public testing::TestWithParam<Damage> {};
TEST_P(SilentChanges, IsNotBlamed) {
  apply_often(GetParam(), [](const verify::AuditResult& result) {
    return result.verdict() == verify::Verdict::passed;
  });
}
INSTANTIATE_TEST_SUITE_P(History, SilentChanges, testing::ValuesIn(all_silent_changes()),
                         [](const auto& row) { return name_of_case(row.param.id); });

TEST(MutationTable, HasEachOfTheSeventyNine) {
  std::set<std::string_view> ids;
  for (const Mutation& mutation : all_mutations())
    ids.insert(mutation.id);

  EXPECT_EQ(ids.size(), 79U);
  for (int i = 1; i <= 79; ++i)
    EXPECT_TRUE(ids.contains('M' + std::to_string(i))) << i;
}

}  // namespace
}  // namespace spillway::history
