// tests/fault/disk_full_test.cpp: guards P4, P12 and P20 (X14, X23): disks that really are full,
// that of the journal and that of the outbox.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault/under_fault.hpp"
#include "support/small_disk.hpp"

namespace spillway::test {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t mebibyte = std::size_t{1} << 20;
constexpr std::size_t journal_bytes = 8 * mebibyte;
constexpr double per_second = 2'000;

class DiskFull : public UnderFault {
 protected:
  [[nodiscard]] Config config_with_journal(const std::string& path) {
    Config settings = proxied_config();
    settings.journal.path = path;
    settings.journal.size_bytes = journal_bytes;
    settings.lanes.window_bytes = journal_bytes / 4;
    return settings;
  }
};

TEST_F(DiskFull, AJournalThatDoesNotFitIsRefusedAndLeavesNothing) {
  const SmallDisk disk{journal_bytes - mebibyte};
  const std::size_t free_before = disk.free_bytes();

  try {
    static_cast<void>(Pipeline::open(config_with_journal(disk.file("journal"))));
    FAIL() << "it was opened";
  } catch (const StartError& error) {
    EXPECT_THAT(error.what(), HasSubstr("needs 8 MiB, its file system has 7 MiB free"));
  }

  EXPECT_TRUE(std::filesystem::is_empty(disk.path()));
  EXPECT_EQ(disk.free_bytes(), free_before);
}

// Every page that it will ever write has been reserved: a store finds room, and is no SIGBUS.
TEST_F(DiskFull, AJournalGoesOnWhenItsDiskIsFilledByOthers) {
  const SmallDisk disk{journal_bytes + mebibyte};
  Pipeline pipeline = Pipeline::open(config_with_journal(disk.file("journal")));
  disk.fill();
  ASSERT_EQ(disk.free_bytes(), 0);
  program::LoadGenerator load = load_on(pipeline);
  reach(Phase::direct, pipeline);

  // Until every segment of it has been written.
  kafka_link.cut();
  postgres_link.cut();
  EXPECT_TRUE(eventually(patience, [&] { return pipeline.counters().journal_full > 0; }));
  load.stop();
  postgres_link.mend();
  kafka_link.mend();

  EXPECT_TRUE(ends_quiet(pipeline));
  const Metrics seen = pipeline.counters();
  expect_conserved(seen);
  expect_audit_clean(copies_of(seen));
}

// The outbox, in a tablespace on that disk for as long as this lives.
class OutboxOnDisk {
 public:
  OutboxOnDisk(testing::SqlSession sql, const SmallDisk& disk) : sql_{std::move(sql)} {
    const std::string directory = disk.file("tablespace");
    std::filesystem::create_directory(directory);
    give_to_server(directory);
    sql_.run("CREATE TABLESPACE " + name_ + " LOCATION '" + directory + "'");
    move_to(name_);
  }
  OutboxOnDisk(const OutboxOnDisk&) = delete;
  OutboxOnDisk& operator=(const OutboxOnDisk&) = delete;
  ~OutboxOnDisk() {
    try {
      move_to("pg_default");
      sql_.run("DROP TABLESPACE " + name_);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }

 private:
  // It runs as a user of its own.
  void give_to_server(const std::string& directory) {
    struct stat data {};
    if (::stat(sql_.value("SHOW data_directory").c_str(), &data) != 0 ||
        ::chown(directory.c_str(), data.st_uid, data.st_gid) != 0) {
      throw std::runtime_error{directory + ": cannot be given to the server"};
    }
  }
  void move_to(const std::string& tablespace) {
    sql_.run("ALTER TABLE spillway.outbox SET TABLESPACE " + tablespace);
    sql_.run("ALTER INDEX spillway.outbox_pkey SET TABLESPACE " + tablespace);
  }

  testing::SqlSession sql_;
  std::string name_ = "small_" + sql_.value("SELECT current_database()");
};

TEST_F(DiskFull, AnOutboxThatIsFullFillsTheJournalAndGoesOnByItselfWhenThereIsRoom) {
  SmallDisk disk{2 * mebibyte};
  const OutboxOnDisk outbox{sql(), disk};
  Pipeline pipeline = Pipeline::open(config_with_journal(file("journal")));
  program::LoadGenerator load = load_on(pipeline, per_second);
  reach(Phase::spilling, pipeline);

  EXPECT_TRUE(eventually(patience, [&] { return lines().has("No space left on device"); }));
  EXPECT_TRUE(eventually(patience, [&] { return pipeline.counters().journal_full > 0; }))
      << "the journal holds what Postgres does not take, and then says so";
  const std::uint64_t spilled = pipeline.counters().spilled;
  disk.resize(64 * mebibyte);
  EXPECT_TRUE(eventually(patience, [&] { return pipeline.counters().spilled > spilled + 2'000; }));
  load.stop();
  kafka_link.mend();

  EXPECT_TRUE(ends_quiet(pipeline));
  const Metrics seen = pipeline.counters();
  expect_conserved(seen);
  expect_audit_clean(copies_of(seen));
}

}  // namespace
}  // namespace spillway::test
