// tests/unit/program/command_line_test.cpp: what a script relies on: exit codes, --json, and where
// errors go. No server is asked.

#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

namespace spillway::program {
namespace {

struct Ended {
  int code = -1;
  std::string out;
  std::string error;
};

struct Closed {
  void operator()(std::FILE* pipe) const noexcept { pclose(pipe); }
};

std::string output_of(const std::string& command, int* code = nullptr) {
  std::unique_ptr<std::FILE, Closed> pipe{popen(command.c_str(), "r")};
  std::string text;
  std::array<char, 4'096> part{};
  for (std::size_t read = 0; (read = std::fread(part.data(), 1, part.size(), pipe.get())) > 0;) {
    text.append(part.data(), read);
  }
  const int status = pclose(pipe.release());
  if (code != nullptr) *code = WEXITSTATUS(status);
  return text;
}

// With no variables but those in `before`, so that the tests' own environment says nothing.
Ended run(const std::string& arguments, const std::string& before = "") {
  const std::string command = "env -i " + before + " " SPILLWAY_PROGRAM_FILE " " + arguments;
  Ended ended;
  ended.out = output_of(command + " 2>/dev/null", &ended.code);
  ended.error = output_of(command + " 2>&1 >/dev/null");
  return ended;
}

TEST(CommandLine, HasAnExampleForEachSubcommand) {
  for (const char* command : {"relay", "outbox", "outbox ls", "outbox show", "outbox dead",
                              "outbox replay", "journal", "journal inspect", "journal drain",
                              "schema", "config", "version", "load", "verify", "demo"}) {
    const Ended help = run(std::string{command} + " --help");
    EXPECT_EQ(help.code, 0) << command;
    EXPECT_NE(help.out.find("Usage: spillway " + std::string{command}), std::string::npos)
        << command;
    EXPECT_NE(help.out.find("Example"), std::string::npos) << command;
    EXPECT_EQ(help.error, "") << command;
  }
}

struct UsageRow {
  const char* arguments;
  const char* error;
};
constexpr std::array wrong{
    UsageRow{"", "spillway: which subcommand? spillway --help lists them\n"},
    UsageRow{"rely", "spillway: The following argument was not expected: rely; try --help\n"},
    UsageRow{"outbox", "spillway outbox: which part of it? --help lists them\n"},
    UsageRow{"outbox lst",
             "spillway outbox: The following argument was not expected: lst; try --help\n"},
    UsageRow{"outbox replay",
             "spillway outbox replay: give either positions or --all; try --help\n"},
    UsageRow{"journal inspect", "spillway journal inspect: FILE is required; try --help\n"},
    UsageRow{"load --topic t --slo ack_p99=50",
             "spillway load: --slo ack_p99=50: a time needs a unit; there are ns, us, ms and s\n"},
    UsageRow{"config --set x", "spillway config: --set x has no value; write it KEY=VALUE\n"},
    UsageRow{"config --set lane.count=1",
             "spillway config: flag: lane.count is no setting; did you mean lanes.count?\n"},
    UsageRow{"relay --set lanes.count=65",
             "spillway relay: flag: lanes.count is 65; it may be 0 to 64; leave it out for one for "
             "each two CPUs, 1 to 4\n"},
};

TEST(CommandLine, SaysWhatIsWrongAndEndsWithTwo) {
  for (const UsageRow& row : wrong) {
    const Ended ended = run(row.arguments);
    EXPECT_EQ(ended.code, 2) << row.arguments;
    EXPECT_EQ(ended.error, row.error);
    EXPECT_EQ(ended.out, "") << row.arguments;
  }
}

TEST(CommandLine, EndsWithThreeWhenAFileCannotBeUsed) {
  const Ended ended = run("config --config /nowhere.toml");

  EXPECT_EQ(ended.code, 3);
  EXPECT_NE(ended.error.find("/nowhere.toml"), std::string::npos);
}

TEST(CommandLine, EndsWithOneWhenTheCheckFails) {
  EXPECT_EQ(run("config --check").code, 1);
  EXPECT_EQ(run("config --check --kafka a:1 --postgres host=b").code, 0);
}

TEST(CommandLine, SpeaksJson) {
  const Ended config =
      run("config --json --kafka a:1", "SPILLWAY_POSTGRES='host=b password=secret'");
  const auto settings = nlohmann::json::parse(config.out);

  EXPECT_EQ(settings["kafka.bootstrap_servers"]["value"], "a:1");
  EXPECT_EQ(settings["kafka.bootstrap_servers"]["origin"], "flag");
  EXPECT_EQ(settings["postgres.conninfo"]["value"], "host=b password=(hidden)");
  EXPECT_EQ(settings["postgres.conninfo"]["origin"], "SPILLWAY_POSTGRES");
  EXPECT_TRUE(nlohmann::json::parse(run("version --json").out).contains("librdkafka"));
}

}  // namespace
}  // namespace spillway::program
