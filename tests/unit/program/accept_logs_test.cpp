// tests/unit/program/accept_logs_test.cpp: what a load writes of its calls is what the auditor
// reads, whole, killed or cut.

#include "accept_logs.hpp"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "command.hpp"
#include "support/temporary_directory.hpp"
#include "verify/accept_log_files.hpp"
#include "verify/sources.hpp"

namespace spillway::program {
namespace {

using verify::Answer;

class AcceptLogFile : public testing::Test {
 protected:
  [[nodiscard]] std::string path(std::uint32_t publisher) const {
    return directory_.file(verify::accept_log_name(publisher));
  }
  [[nodiscard]] std::string directory() const { return directory_.path().string(); }

 private:
  test::TemporaryDirectory directory_;
};

TEST_F(AcceptLogFile, HoldsEachCallWithItsAnswer) {
  {
    AcceptLogWriter log{directory(), 7, 3};
    ASSERT_TRUE(log.begin(111));
    log.end(true);
    ASSERT_TRUE(log.begin(222));
    log.begin_again();
    log.end(false);
    ASSERT_TRUE(log.begin(333));  // and killed
  }

  const verify::AcceptLogFiles files{directory()};

  ASSERT_EQ(files.logs().size(), 1U);
  const verify::AcceptLog& log = files.logs().front();
  EXPECT_EQ(log.run, 7U);
  EXPECT_EQ(log.publisher, 3U);
  ASSERT_EQ(log.begun, 3U);
  ASSERT_EQ(log.calls.size(), 3U);
  EXPECT_TRUE(log.calls[0].has(Answer::accepted));
  EXPECT_EQ(log.calls[0].content, 111U);
  EXPECT_LE(log.calls[0].begin_ns, log.calls[0].return_ns);
  EXPECT_LE(log.calls[0].return_ns, log.calls[1].begin_ns);
  EXPECT_TRUE(log.calls[1].has(Answer::rejected));
  EXPECT_TRUE(log.calls[2].has(Answer::none));
  EXPECT_EQ(log.calls[2].return_ns, 0U);
}

TEST_F(AcceptLogFile, GrowsPastItsFirstChunk) {
  constexpr std::uint64_t calls = 300'000;
  {
    AcceptLogWriter log{directory(), 7, 0};
    for (std::uint64_t n = 0; n < calls; ++n) {
      ASSERT_TRUE(log.begin(n + 1));
      log.end(true);
    }
  }

  const verify::AcceptLogFiles files{directory()};

  ASSERT_EQ(files.logs().front().calls.size(), calls);
  for (std::uint64_t n = 0; n < calls; ++n)
    ASSERT_EQ(files.logs().front().calls[n].content, n + 1);
}

TEST_F(AcceptLogFile, ThatWasCutIsRefusedByTheAudit) {
  {
    AcceptLogWriter log{directory(), 7, 0};
    for (int n = 0; n < 100; ++n) {
      ASSERT_TRUE(log.begin(1));
      log.end(true);
    }
  }
  std::filesystem::resize_file(path(0), verify::accept_log_header_bytes + 99 * 32);

  const verify::AcceptLogFiles files{directory()};
  verify::Audit audit{{.topic = "orders"}};
  audit.expect(files.logs().front());

  EXPECT_EQ(audit.finish().verdict(), verify::Verdict::inconclusive);
}

TEST_F(AcceptLogFile, IsNoOtherFile) {
  { const AcceptLogWriter log{directory(), 7, 0}; }
  std::filesystem::resize_file(path(0), 100);

  EXPECT_THROW(verify::AcceptLogFiles{directory()}, verify::SourceError);
  EXPECT_THROW(verify::AcceptLogFiles{directory() + "/none"}, verify::SourceError);
}

TEST_F(AcceptLogFile, IsNotWrittenOver) {
  EXPECT_EQ(AcceptLogs::next_publisher(directory(), false), 0U);
  const AcceptLogs logs{directory(), "orders", 7, 0, 2};

  EXPECT_EQ(AcceptLogs::next_publisher(directory(), true), 2U);
  EXPECT_THROW(static_cast<void>(AcceptLogs::next_publisher(directory(), false)), CommandError);
}

}  // namespace
}  // namespace spillway::program
