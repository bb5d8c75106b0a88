// tests/unit/program/text_test.cpp: values as people read them.

#include "text.hpp"

#include <chrono>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace spillway::program {
namespace {

using namespace std::chrono_literals;

TEST(Text, GroupsThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'000), "1,000");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
}

TEST(Text, ChoosesTheUnitOfATime) {
  EXPECT_EQ(short_time(0), "0 ns");
  EXPECT_EQ(short_time(250), "250 ns");
  EXPECT_EQ(short_time(1'500), "1.5 us");
  EXPECT_EQ(short_time(75'000'000), "75.0 ms");
  EXPECT_EQ(short_time(2'250'000'000), "2.25 s");
}

TEST(Text, WritesTimesInUtc) {
  EXPECT_EQ(iso_time(std::chrono::sys_time<std::chrono::microseconds>{1'700'000'000'123'456us}),
            "2023-11-14T22:13:20.123456Z");
  EXPECT_EQ(iso_time({}), "-");
}

TEST(Text, NeverSteersATerminal) {
  EXPECT_EQ(printable("ok \x1b[31m\\\n"), R"(ok \x1b[31m\x5c\x0a)");
  EXPECT_EQ(printable_or_none(std::nullopt), "(none)");
  EXPECT_EQ(shortened(std::string(100, 'a'), 3), "aaa... (100 bytes)");
}

TEST(Text, AlignsColumns) {
  std::ostringstream out;

  print_table(out, {{"A", "LONG", "C"}, {"wide", "b", "c"}});

  EXPECT_EQ(out.str(), "A     LONG  C\nwide  b     c\n");
}

}  // namespace
}  // namespace spillway::program
