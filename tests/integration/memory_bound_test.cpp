// tests/integration/memory_bound_test.cpp: guards P12: the journal is the bound, whatever goes
// through.
//
// From its first thousand envelopes on a process grows by no more than the pages of its journal
// (64 MiB), full windows of two lanes (20,000 records each, at most 1 KiB for each with librdkafka:
// 40 MiB), and the lanes' lists of what the journal holds (254,000 records of this size, 64 bytes
// for each: 16 MiB).

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "spillway/spillway.hpp"
#include "support/on_real_stack.hpp"

namespace spillway::test {
namespace {

std::uint64_t resident_bytes() {
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  std::ifstream{"/proc/self/statm"} >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST_F(OnRealStack, AMillionEnvelopesGoThroughAJournalOf64MebibytesWithoutGrowth) {
  constexpr std::uint64_t count = 1'000'000;
  constexpr std::uint64_t first = 1'000;
  constexpr std::uint64_t mebibyte = 1U << 20U;
  constexpr std::uint64_t growth_max = (64 + 40 + 16) * mebibyte;
  Config settings = config();
  settings.lanes.failover_after = 30s;  // A machine at its limit is no outage.
  Pipeline pipeline = Pipeline::open(settings);
  const Topic topic = pipeline.topic(topic_name());
  Publisher publisher = pipeline.publisher();
  const std::string payload(200, 'x');

  std::uint64_t before = 0;
  std::uint64_t highest = 0;
  for (std::uint64_t n = 0; n < count; ++n) {
    ASSERT_TRUE(publisher.publish_within(
        patience,
        {.topic = topic, .key = Key{std::to_string(n % 100)}, .payload = bytes_of(payload)}));
    if (n == first) before = resident_bytes();
    if (n % 10'000 == 0) highest = std::max(highest, resident_bytes());
  }
  ASSERT_TRUE(pipeline.flush(std::chrono::steady_clock::now() + 2 * patience));

  EXPECT_EQ(pipeline.counters().journal_bytes, 64 * mebibyte);
  EXPECT_LT(highest, before + growth_max)
      << "before " << before / mebibyte << " MiB, at most " << highest / mebibyte << " MiB";
  RecordProperty("resident_mebibytes_before", static_cast<int>(before / mebibyte));
  RecordProperty("resident_mebibytes_at_most", static_cast<int>(highest / mebibyte));
}

}  // namespace
}  // namespace spillway::test
