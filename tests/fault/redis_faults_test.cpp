// tests/fault/redis_faults_test.cpp: guards P14 (X17 to X19): a token is a hint, and whatever Redis
// does to it costs an interval at most.

#include <thread>

#include <gtest/gtest.h>

#include "fault/under_fault.hpp"
#include "support/redis_client.hpp"

namespace spillway::test {
namespace {

using std::chrono::milliseconds;
using Command = std::vector<std::string>;

Fault answered(std::string name, const std::vector<Command>& begin,
               const std::vector<Command>& end) {
  return {.name = std::move(name),
          .row = "X18",
          .begin =
              [begin](UnderFault&) {
                RedisClient redis;
                for (const Command& command : begin)
                  redis.command(command);
              },
          .end =
              [end](UnderFault&) {
                RedisClient redis;
                for (const Command& command : end)
                  redis.command(command);
              }};
}

// Another client does it over and over.
Fault robbed(std::string name, std::function<void(RedisClient&, const std::string&)> rob) {
  auto thread = std::make_shared<std::jthread>();
  return {.name = std::move(name),
          .row = "X19",
          .begin =
              [thread, rob = std::move(rob)](UnderFault& test) {
                *thread =
                    std::jthread{[rob, list = test.topic_name()](const std::stop_token& stop) {
                      RedisClient redis;
                      while (!stop.stop_requested())
                        rob(redis, list);
                    }};
              },
          .end = [thread](UnderFault&) { *thread = {}; }};
}

std::vector<Fault> faults() {
  return {
      {.name = "ItIsKilled",
       .row = "X17",
       .begin = [](UnderFault& test) { test.stack().kill(Server::redis); },
       .end = [](UnderFault& test) { test.stack().start(Server::redis); }},
      {.name = "ItHangs",
       .row = "X17",
       .begin = [](UnderFault& test) { test.stack().pause(Server::redis); },
       .end = [](UnderFault& test) { test.stack().resume(Server::redis); }},
      // Port 1 has no primary, so it stays a replica without one: READONLY.
      answered("ItIsAReplica", {{"REPLICAOF", "127.0.0.1", "1"}}, {{"REPLICAOF", "NO", "ONE"}}),
      answered("ItIsOutOfMemory",
               {{"CONFIG", "SET", "maxmemory-policy", "noeviction"},
                {"CONFIG", "SET", "maxmemory", "1"}},
               {{"CONFIG", "SET", "maxmemory", "0"}}),
      answered("ItsRightsAreTaken", {{"ACL", "SETUSER", "default", "-@list"}},
               {{"ACL", "SETUSER", "default", "+@all"}}),
      // New connections have to give the password; ours are ended.
      {.name = "ItAsksForAPassword",
       .row = "X18",
       .begin =
           [](UnderFault&) {
             RedisClient redis;
             redis.command({"CONFIG", "SET", "requirepass", "secret"});
             redis.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
           },
       .end =
           [](UnderFault&) {
             RedisClient redis;
             redis.command({"AUTH", "secret"});
             redis.command({"CONFIG", "SET", "requirepass", ""});
           }},
      robbed("ItsTokensAreStolen",
             [](RedisClient& redis, const std::string& list) {
               redis.command({"BLPOP", list, "0.1"});
             }),
      robbed("ItsClientsAreEnded",
             [](RedisClient& redis, const std::string&) {
               redis.command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
               std::this_thread::sleep_for(milliseconds{50});
             }),
      robbed("ItIsFlushed",
             [](RedisClient& redis, const std::string&) {
               redis.command({"FLUSHALL"});
               std::this_thread::sleep_for(milliseconds{20});
             }),
  };
}

class RedisFaults : public UnderFault, public ::testing::WithParamInterface<Cell> {};

TEST_P(RedisFaults, LoseReorderAndDoubleNothing) {
  run(GetParam().fault, GetParam().phase);
}

INSTANTIATE_TEST_SUITE_P(Usual, RedisFaults,
                         ::testing::ValuesIn(cells(faults(), {Phase::spilling})),
                         [](const auto& cell) { return name_of(cell); });
INSTANTIATE_TEST_SUITE_P(Long, RedisFaults,
                         ::testing::ValuesIn(cells(faults(), {Phase::direct, Phase::returning})),
                         [](const auto& cell) { return name_of(cell); });

}  // namespace
}  // namespace spillway::test
