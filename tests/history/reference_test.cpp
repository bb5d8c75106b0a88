// tests/history/reference_test.cpp: the checker and the definitions blame the same promises.

#include "history/reference.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "history/mutation.hpp"
#include "history/true_history.hpp"

namespace spillway::history {
namespace {

using verify::Promise;

std::string text_of(const std::set<Promise>& broken) {
  std::string text;
  for (const Promise promise : broken)
    text += verify::number_of(promise) + ' ';
  return text;
}

// Of P1 to P9.
std::set<Promise> broken_by_audit(const verify::History& history) {
  const verify::AuditResult result = judge(history);
  std::set<Promise> broken;
  for (std::size_t i = 0; i <= index_of(Promise::duplicates_stutter); ++i) {
    const auto promise = static_cast<Promise>(i);
    if (result.judgement(promise) == verify::Judgement::violated) broken.insert(promise);
  }
  return broken;
}

TEST(Reference, AgreesOnTrueHistories) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const verify::History history = true_history(seed, 1'000);

    ASSERT_EQ(text_of(broken_by_definition(history)), "") << "seed " << seed;
    ASSERT_EQ(text_of(broken_by_audit(history)), "") << "seed " << seed;
  }
}

class ReferenceOnMutations : public testing::TestWithParam<Mutation> {};
TEST_P(ReferenceOnMutations, Agrees) {
  int applied = 0;
  for (std::uint64_t seed = 0; applied < 30 && seed < 5'000; ++seed) {
    verify::History history = true_history(seed, 150);
    Random random{seed};
    if (!GetParam().apply(history, random)) continue;
    ++applied;
    ASSERT_EQ(text_of(broken_by_audit(history)), text_of(broken_by_definition(history)))
        << GetParam().id << ", seed " << seed;
  }
  EXPECT_EQ(applied, 30);
}
INSTANTIATE_TEST_SUITE_P(History, ReferenceOnMutations, testing::ValuesIn(all_mutations()),
                         [](const auto& row) { return std::string{row.param.id}; });

}  // namespace
}  // namespace spillway::history
