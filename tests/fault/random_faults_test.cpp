// tests/fault/random_faults_test.cpp: guards P1 to P11 and P20 (X24): two faults at a time, drawn
// by a seed.
//
// SPILLWAY_TEST_SEED draws another plan than the usual one, SPILLWAY_TEST_ROUNDS says how long it
// is.

#include <array>
#include <chrono>
#include <functional>
#include <iostream>
#include <random>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "fault/under_fault.hpp"

namespace spillway::test {
namespace {

using std::chrono::milliseconds;

struct Accident {
  std::string name;
  std::function<void()> begin;
  std::function<void()> end;
};

class RandomFaults : public UnderFault {
 protected:
  [[nodiscard]] std::vector<Accident> accidents() {
    std::vector<Accident> all;
    const std::array links{&kafka_link, &postgres_link, &redis_link};
    const std::array names{"Kafka", "PostgreSQL", "Redis"};
    const std::array servers{Server::kafka, Server::postgres, Server::redis};
    for (std::size_t i = 0; i < links.size(); ++i) {
      const Link& link = *links[i];
      const Server server = servers[i];
      const std::string name{names[i]};
      const auto mend = [&link] { link.mend(); };
      all.push_back({name + " is cut", [&link] { link.cut(); }, mend});
      all.push_back({name + " is slow", [&link] { link.delay(200); }, mend});
      all.push_back({name + " is reset", [&link] { link.reset_after(20); }, mend});
      all.push_back({name + " swallows answers", [&link] { link.swallow_answers(); }, mend});
      all.push_back({name + " hangs", [this, server] { stack().pause(server); },
                     [this, server] { stack().resume(server); }});
      all.push_back({name + " is killed", [this, server] { stack().kill(server); },
                     [this, server] { stack().start(server); }});
    }
    return all;
  }
};

TEST_F(RandomFaults, InPairsLoseReorderAndDoubleNothing) {
  const std::uint64_t seed = number_from("SPILLWAY_TEST_SEED", 1);
  const std::uint64_t rounds = number_from("SPILLWAY_TEST_ROUNDS", 3);
  std::cout << "SPILLWAY_TEST_SEED=" << seed << "\n";
  std::mt19937_64 dice{seed};
  const std::vector<Accident> all = accidents();
  Pipeline pipeline = Pipeline::open(proxied_config());
  program::LoadGenerator load = load_on(pipeline);

  for (std::uint64_t round = 0; round < rounds; ++round) {
    const Accident& first = all[dice() % all.size()];
    const Accident& second = all[dice() % all.size()];
    const milliseconds apart{dice() % 1'000};
    const milliseconds together{200 + dice() % 1'500};
    std::cout << round << ": " << first.name << ", after " << apart.count() << " ms " << second.name
              << ", for " << together.count() << " ms\n";
    first.begin();
    std::this_thread::sleep_for(apart);
    // What is dead cannot be stopped, and the other way round: one of the two is enough then.
    const bool is_other_server = first.name.substr(0, 5) != second.name.substr(0, 5);
    if (is_other_server) second.begin();
    std::this_thread::sleep_for(together);
    first.end();
    if (is_other_server) second.end();
    ASSERT_TRUE(eventually(patience, [&] { return all_direct(pipeline.counters()); }));
  }
  load.stop();
  EXPECT_TRUE(ends_quiet(pipeline));

  expect_conserved(pipeline.counters());
  // A relay's lease ends with its session, whatever ended that.
  expect_audit_clean(Copies::marked);
}

}  // namespace
}  // namespace spillway::test
