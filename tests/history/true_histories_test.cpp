// tests/history/true_histories_test.cpp: the checker blames no history of which every promise
// holds.

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "history/true_history.hpp"
#include "verify/report.hpp"

namespace spillway::history {
namespace {

constexpr std::uint64_t histories = 10'000;

TEST(TrueHistories, AreBlamedForNothing) {
  std::uint64_t messages = 0;
  std::uint64_t relayed = 0;
  std::uint64_t duplicates = 0;
  for (std::uint64_t seed = 0; seed < histories; ++seed) {
    const verify::AuditResult result = judge(true_history(seed, 2'000));
    ASSERT_EQ(result.verdict(), verify::Verdict::passed) << "seed " << seed << '\n'
                                                         << verify::text_report(result);
    for (std::size_t i = 0; i < verify::promises; ++i) {
      const auto promise = static_cast<verify::Promise>(i);
      if (promise == verify::Promise::bounded_memory) continue;
      if (promise == verify::Promise::honest_close) continue;  // in some, every process is killed
      ASSERT_EQ(result.judgement(promise), verify::Judgement::holds) << verify::number_of(promise);
    }
    messages += result.messages;
    relayed += result.relayed;
    duplicates += result.duplicates_marked;
  }
  RecordProperty("messages", std::to_string(messages));
  // They are no empty ones.
  EXPECT_GT(messages, 1'000'000U);
  EXPECT_GT(relayed, messages / 10);
  EXPECT_GT(duplicates, histories);
}

}  // namespace
}  // namespace spillway::history
