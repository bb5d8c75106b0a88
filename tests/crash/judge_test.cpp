// tests/crash/judge_test.cpp: each kind of violation is seen, and by its name.

#include "crash/judge.hpp"

#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace spillway::crash {
namespace {

Accepts accepts_of(std::uint64_t last) {
  Accepts accepts;
  accepts.last = {last, 0};
  return accepts;
}

/// Publisher 0's, in lane 0, its number also its seq.
Sent sent(std::uint64_t number) {
  return {.name = {.publisher = 0, .number = number},
          .order = number,
          .seq = number,
          .lane = 0,
          .marked = false,
          .intact = true};
}

struct Row {
  const char* name;
  std::vector<Sent> sent;
  std::vector<std::string> kinds;  ///< Of the violations, in the order of the alphabet.
};
// Else its addresses would be part of the tests' names.
void PrintTo(const Row& row, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  *out << row.name;
}

Sent with_seq(Sent record, std::uint64_t seq) {
  record.seq = seq;
  return record;
}
Sent marked(Sent record) {
  record.marked = true;
  return record;
}
Sent altered(Sent record) {
  record.intact = false;
  return record;
}

const std::vector<Row> rows{
    {"Nothing", {sent(1), sent(2), sent(3)}, {}},
    {"NothingInAMarkedCopy", {sent(1), sent(2), marked(sent(1)), sent(3)}, {}},
    {"Loss", {sent(1), sent(2)}, {"lost"}},
    {"LossInTheMiddle", {sent(1), sent(3)}, {"a gap", "lost"}},
    {"Copy", {sent(1), sent(2), sent(2), sent(3)}, {"a copy without a mark"}},
    {"Invention", {sent(1), sent(2), sent(3), sent(4)}, {"invented"}},
    {"Alteration", {sent(1), altered(sent(2)), sent(3)}, {"altered"}},
    {"ReusedPosition", {sent(1), sent(2), with_seq(sent(3), 2)}, {"one position for two records"}},
    {"SecondPosition",
     {sent(1), sent(2), sent(3), marked(with_seq(sent(2), 4))},
     {"two positions for one record"}},
    {"Gap", {sent(1), sent(2), with_seq(sent(3), 4)}, {"a gap"}},
    {"LateSeq", {sent(1), with_seq(sent(2), 3), with_seq(sent(3), 2)}, {"behind a later seq"}},
    {"LateRecord",
     {sent(1), with_seq(sent(3), 2), with_seq(sent(2), 3)},
     {"behind a later one of its publisher", "behind one published after it"}},
};

class Judgement : public testing::TestWithParam<Row> {};

TEST_P(Judgement, Names) {
  Accepts accepts = accepts_of(3);
  accepts.in_one_thread = true;

  const std::vector<std::string> found = violations_of(accepts, GetParam().sent);

  ASSERT_EQ(found.size(), GetParam().kinds.size()) << testing::PrintToString(found);
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_EQ(found[i].substr(0, found[i].find(':')), GetParam().kinds[i]);
}
INSTANTIATE_TEST_SUITE_P(Judge, Judgement, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(Judge, DoesNotAskForARecordWhoseFateIsUnknown) {
  Accepts accepts = accepts_of(3);
  accepts.unknown = {{.publisher = 0, .number = 3}};

  EXPECT_TRUE(violations_of(accepts, std::vector{sent(1), sent(2)}).empty());
  EXPECT_TRUE(violations_of(accepts, std::vector{sent(1), sent(2), sent(3)}).empty());
}

}  // namespace
}  // namespace spillway::crash
