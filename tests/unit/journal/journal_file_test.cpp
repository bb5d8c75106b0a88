// tests/unit/journal/journal_file_test.cpp: whose file is refused, why, and that it is left as it
// is.

#include "journal/journal_file.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "spillway/error.hpp"
#include "support/temporary_directory.hpp"

namespace spillway::journal {
namespace {

constexpr std::size_t size_bytes = 4 * core::segment_bytes;

std::string content_of(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream{path, std::ios::binary}.rdbuf();
  return content.str();
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream{path, std::ios::binary} << content;
}

/// Of the StartError; "" when the file is taken.
std::string refusal_of(const std::string& path, std::size_t size = size_bytes) {
  try {
    const JournalFile file{path, size};
    return "";
  } catch (const StartError& error) {
    return error.what();
  }
}

class JournalFileTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return directory_.file("journal"); }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator{directory_.path()}, {}));
  }
  void make_good_file() const { const JournalFile file{path(), size_bytes}; }

 private:
  test::TemporaryDirectory directory_;
};

TEST_F(JournalFileTest, IsMadeWholeAndForItsOwnerOnly) {
  make_good_file();

  struct stat facts = {};
  ASSERT_EQ(::stat(path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_size, static_cast<off_t>(size_bytes));
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_GE(facts.st_blocks * 512, static_cast<blkcnt_t>(size_bytes)) << "no hole may be left";
  EXPECT_EQ(files(), 1U) << "no draft may be left";
}

TEST_F(JournalFileTest, TakesOverTheDraftOfAProcessThatDiedMakingIt) {
  write_file(path() + ".new", std::string(2 * size_bytes, 'x'));

  make_good_file();

  EXPECT_EQ(std::filesystem::file_size(path()), size_bytes);
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(refusal_of(path()), "");
}

TEST_F(JournalFileTest, IsRefusedWhileALivingOwnerHasIt) {
  const JournalFile owner{path(), size_bytes};

  const std::string refusal = refusal_of(path());

  EXPECT_NE(refusal.find("living process"), std::string::npos) << refusal;
  EXPECT_NE(refusal.find(path()), std::string::npos) << refusal;
}

TEST_F(JournalFileTest, IsFreeAgainWhenItsOwnerIsGone) {
  make_good_file();

  EXPECT_EQ(refusal_of(path()), "");
}

TEST_F(JournalFileTest, MayBeLookedAtWhileItsOwnerLives) {
  const JournalFile owner{path(), size_bytes};

  const JournalFile looked_at{path(), ReadOnly{}};

  EXPECT_TRUE(looked_at.is_in_use());
  EXPECT_EQ(looked_at.header().instance, owner.header().instance);
}

struct BadFile {
  const char* name;
  std::function<void(std::string&)> damage;
  const char* said;
};

template <class Field>
void put(std::string& content, std::size_t offset, Field value) {
  content.replace(offset, sizeof value, reinterpret_cast<const char*>(&value), sizeof value);
}

const std::vector<BadFile> bad_files{
    {"Empty", [](std::string& content) { content.clear(); }, "not a Spillway journal"},
    {"Foreign", [](std::string& content) { content.assign(8'192, 'x'); }, "not a Spillway journal"},
    {"CutInTheHeader", [](std::string& content) { content.resize(100); }, "cut off"},
    {"CutInASegment", [](std::string& content) { content.resize(content.size() - 4'096); },
     "cut off or damaged"},
    {"Longer", [](std::string& content) { content.append(core::segment_bytes, '\0'); }, "damaged"},
    {"OtherVersion",
     [](std::string& content) { put(content, offsetof(JournalHeader, version), file_version + 1); },
     "is of format 2, this is format 1"},
    {"OtherByteOrder",
     [](std::string& content) {
       put(content, offsetof(JournalHeader, byte_order), std::uint32_t{0x04030201});
     },
     "another byte order"},
    {"OtherSegments",
     [](std::string& content) {
       put(content, offsetof(JournalHeader, segment_bytes), std::uint64_t{4'096});
     },
     "damaged header"},
    {"TooManyLanes",
     [](std::string& content) { put(content, offsetof(JournalHeader, lanes), std::uint32_t{65}); },
     "damaged header"},
    {"NoInstance",
     [](std::string& content) {
       put(content, offsetof(JournalHeader, instance), std::uint64_t{0});
     },
     "damaged header"},
};

class BadJournalFile : public JournalFileTest, public testing::WithParamInterface<BadFile> {};

TEST_P(BadJournalFile, IsRefusedWithTheReasonAndLeftAsItIs) {
  make_good_file();
  std::string content = content_of(path());
  GetParam().damage(content);
  write_file(path(), content);

  const std::string refusal = refusal_of(path());

  EXPECT_NE(refusal.find(GetParam().said), std::string::npos) << refusal;
  EXPECT_NE(refusal.find(path()), std::string::npos) << refusal;
  EXPECT_TRUE(content_of(path()) == content);
  EXPECT_EQ(files(), 1U);
}
INSTANTIATE_TEST_SUITE_P(JournalFile, BadJournalFile, testing::ValuesIn(bad_files),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST_F(JournalFileTest, IsRefusedWithTheSizesWhereItDoesNotFit) {
  const std::string refusal = refusal_of(path(), std::size_t{1} << 50U);

  EXPECT_NE(refusal.find("1073741824 MiB"), std::string::npos) << refusal;
  EXPECT_NE(refusal.find("journal.size_bytes"), std::string::npos) << refusal;
  EXPECT_EQ(files(), 0U) << "nothing may be left behind";
}

TEST_F(JournalFileTest, IsRefusedInADirectoryThatIsNotThere) {
  const std::string refusal = refusal_of(path() + "/missing/journal");

  EXPECT_NE(refusal.find("set journal.path"), std::string::npos) << refusal;
}

TEST_F(JournalFileTest, IsRefusedWhenItIsADirectory) {
  std::filesystem::create_directory(path());

  EXPECT_NE(refusal_of(path()), "");
}

}  // namespace
}  // namespace spillway::journal
