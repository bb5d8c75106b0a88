// tests/integration/pipeline_open_test.cpp: how a pipeline starts, and how it says that it cannot.

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spillway/journal.hpp"
#include "spillway/spillway.hpp"
#include "support/on_real_stack.hpp"

namespace spillway::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Below the ports that outgoing connections use: nobody is there by chance.
constexpr const char* nobody = "127.0.0.1:9";

class PipelineOpen : public OnRealStack {
 protected:
  // What open() says against these settings.
  template <class Error>
  static std::string refusal_of(const Config& settings) {
    try {
      static_cast<void>(Pipeline::open(settings));
    } catch (const Error& error) {
      return error.what();
    }
    return "(opened)";
  }
};

TEST_F(PipelineOpen, NamesATopicThatDoesNotExist) {
  Pipeline pipeline = Pipeline::open(config());

  try {
    static_cast<void>(pipeline.topic("no-such-topic"));
    FAIL() << "there is no such topic";
  } catch (const StartError& error) {
    EXPECT_THAT(error.what(), HasSubstr("no-such-topic"));
  }
}

TEST_F(PipelineOpen, AcceptsIntoTheJournalWhileAllServersAreAway) {
  Config settings = config();
  settings.kafka.bootstrap_servers = nobody;
  settings.kafka.ready_within = 100ms;
  settings.kafka.topic_within = 100ms;
  settings.postgres.conninfo = "host=127.0.0.1 port=9 dbname=none user=nobody";
  settings.redis.url = std::string{"redis://"} + nobody;
  {
    Pipeline pipeline = Pipeline::open(settings);
    const Topic topic = pipeline.topic(topic_name());
    Publisher publisher = pipeline.publisher();
    for (int n = 0; n < 1'000; ++n)
      ASSERT_TRUE(publisher.publish(topic, "key", bytes_of(std::to_string(n))));
    EXPECT_FALSE(pipeline.flush(std::chrono::steady_clock::now() + 100ms));
    EXPECT_FALSE(pipeline.close(std::chrono::steady_clock::now()));
    EXPECT_EQ(pipeline.counters().in_flight, 1'000);
  }

  // The same journal, with servers: a service that was started too early has lost nothing.
  Pipeline pipeline = Pipeline::open(config());
  EXPECT_TRUE(ends_quiet(pipeline));
  EXPECT_EQ(pipeline.counters().recovered, 1'000);
  expect_conserved(pipeline.counters());
  expect_audit_clean();
}

TEST_F(PipelineOpen, RefusesSettingsByNameAndAllAtOnce) {
  Config settings = config();
  settings.lanes.count = 65;
  settings.lanes.failover_after = 0ms;
  settings.postgres.conninfo.clear();

  EXPECT_THAT(refusal_of<ConfigError>(settings),
              AllOf(HasSubstr("lanes.count is 65; it may be 0 to 64"),
                    HasSubstr("lanes.failover_after"), HasSubstr("postgres.conninfo is not set")));
}

TEST_F(PipelineOpen, RefusesAPropertyOfLibrdkafkaThatBreaksAPromise) {
  Config settings = config();
  settings.kafka.properties = {{"acks", "1"}, {"lingr.ms", "5"}};

  EXPECT_THAT(refusal_of<ConfigError>(settings),
              AllOf(HasSubstr("kafka.properties.acks is 1; it has to stay all"),
                    HasSubstr("lingr.ms"), HasSubstr("did you mean linger.ms?")));
}

TEST_F(PipelineOpen, RefusesAJournalThatHasALivingOwnerAndLeavesItAlone) {
  Pipeline owner = Pipeline::open(config());

  EXPECT_THAT(refusal_of<StartError>(config()),
              AllOf(HasSubstr(config().journal.path), HasSubstr("belongs to a living process")));

  const Topic topic = owner.topic(topic_name());
  Publisher publisher = owner.publisher();
  ASSERT_TRUE(publisher.publish(topic, "key", bytes_of("still works")));
  EXPECT_TRUE(owner.flush(std::chrono::steady_clock::now() + patience));
}

TEST_F(PipelineOpen, RefusesAForeignFileAndLeavesItAsItIs) {
  const std::string text(std::size_t{5} << 20, 'x');
  const Config settings = config();
  std::ofstream{settings.journal.path} << text;

  EXPECT_THAT(refusal_of<StartError>(settings), HasSubstr("is not a Spillway journal"));

  std::ostringstream found;
  found << std::ifstream{settings.journal.path}.rdbuf();
  EXPECT_TRUE(found.str() == text);
}

TEST_F(PipelineOpen, RefusesAJournalThatWasCutOff) {
  const Config settings = config();
  static_cast<void>(Pipeline::open(settings));
  std::filesystem::resize_file(settings.journal.path, settings.journal.size_bytes / 2);

  EXPECT_THAT(refusal_of<StartError>(settings), HasSubstr("is cut off"));
}

TEST_F(PipelineOpen, NamesTheSizesWhenTheJournalDoesNotFit) {
  Config settings = config();
  // More than the whole file system has: should the check be gone, nothing is filled up either.
  const auto all = std::filesystem::space(file("")).capacity;
  settings.journal.size_bytes = ((all >> 20U) + 64) << 20U;

  EXPECT_THAT(refusal_of<StartError>(settings),
              AllOf(HasSubstr("needs " + std::to_string(settings.journal.size_bytes >> 20U)),
                    HasSubstr("free"), HasSubstr("journal.size_bytes")));

  EXPECT_FALSE(std::filesystem::exists(settings.journal.path));
}

TEST_F(PipelineOpen, NamesTheCommandThatMakesTheSchema) {
  sql().run("DROP SCHEMA spillway CASCADE");
  Config settings = config();
  settings.lanes.force_spill = {0, 1};
  Pipeline pipeline = Pipeline::open(settings);

  EXPECT_TRUE(eventually(patience, [&] { return lines().has("spillway schema --apply"); }));
}

}  // namespace
}  // namespace spillway::test
