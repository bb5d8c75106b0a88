// tests/fault/producer_turned_fatal_test.cpp: guards P4, P8 and P15: recalling.
//
// The product has no hook for this: the linker puts what is below between it and librdkafka
// (--wrap), so that the test learns its producers.

#include <algorithm>
#include <array>
#include <cstddef>
#include <mutex>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include "spillway/spillway.hpp"
#include "support/on_real_stack.hpp"

namespace {

/// The producers of lanes and relays that live.
class IdempotentProducers {
 public:
  void add(rd_kafka_t* client) {
    const std::lock_guard lock{mutex_};
    clients_.push_back(client);
  }
  void remove(const rd_kafka_t* client) {
    const std::lock_guard lock{mutex_};
    std::erase(clients_, client);
  }
  /// As if the broker had answered with an error that ends an idempotent producer.
  void turn_fatal() {
    const std::lock_guard lock{mutex_};
    for (rd_kafka_t* const client : clients_) {
      rd_kafka_test_fatal_error(client, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                                "injected by a test");
    }
  }

 private:
  std::mutex mutex_;
  std::vector<rd_kafka_t*> clients_;
};

IdempotentProducers& idempotent_producers() {
  static IdempotentProducers producers;
  return producers;
}

// The lanes' and the relay's are.
bool is_idempotent(const rd_kafka_conf_t* settings) {
  std::array<char, 32> value{};
  std::size_t bytes = value.size();
  return rd_kafka_conf_get(settings, "enable.idempotence", value.data(), &bytes) ==
             RD_KAFKA_CONF_OK &&
         std::string_view{value.data()} == "true";
}

}  // namespace

// Names that the linker's --wrap asks for.
// NOLINTBEGIN(readability-identifier-naming, bugprone-reserved-identifier)
extern "C" {
rd_kafka_t* __real_rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t* settings, char* error,
                                std::size_t error_bytes);
rd_kafka_t* __wrap_rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t* settings, char* error,
                                std::size_t error_bytes) {
  const bool is_watched = is_idempotent(settings);
  rd_kafka_t* const client = __real_rd_kafka_new(type, settings, error, error_bytes);
  if (client != nullptr && is_watched) idempotent_producers().add(client);
  return client;
}

void __real_rd_kafka_destroy(rd_kafka_t* client);
void __wrap_rd_kafka_destroy(rd_kafka_t* client) {
  idempotent_producers().remove(client);
  __real_rd_kafka_destroy(client);
}
}
// NOLINTEND(readability-identifier-naming, bugprone-reserved-identifier)

namespace spillway::test {
namespace {

std::uint64_t recalls_of(const Pipeline& pipeline) {
  return sum(pipeline.counters(), &LaneMetrics::recalls);
}

TEST_F(OnRealStack, MarksEveryCopyWhenTheProducersTurnFatalUnderLoad) {
  const Config settings = config();
  Pipeline pipeline = Pipeline::open(settings);
  program::LoadGenerator load = load_on(pipeline);

  for (std::uint64_t times = 1; times <= 3; ++times) {
    const std::uint64_t before = pipeline.counters().delivered;
    ASSERT_TRUE(gets_direct(pipeline, before + 1'000));
    idempotent_producers().turn_fatal();
    ASSERT_TRUE(
        eventually(patience, [&] { return recalls_of(pipeline) >= times * settings.lanes.count; }));
  }
  load.stop();
  EXPECT_TRUE(ends_quiet(pipeline));

  expect_conserved(pipeline.counters());
  expect_audit_clean(Copies::marked);
}

// What a hung broker has in its hands it appends later, after the copy that was sent instead.
TEST_F(OnRealStack, MarksEveryCopyWhenTheyTurnFatalWithRecordsHeld) {
  const Config settings = config();
  Pipeline pipeline = Pipeline::open(settings);
  program::LoadGenerator load = load_on(pipeline);
  ASSERT_TRUE(gets_direct(pipeline, 1'000));

  {
    const Paused broker{stack(), Server::kafka};
    // Of this outage: copies alone may be of one before it, that a busy machine made.
    ASSERT_TRUE(eventually(patience, [&] {
      const Metrics seen = pipeline.counters();
      return sum(seen, &LaneMetrics::held) > 0 && sum(seen, &LaneMetrics::held_copies) > 0;
    }));
    idempotent_producers().turn_fatal();
    EXPECT_TRUE(eventually(patience, [&] { return recalls_of(pipeline) >= settings.lanes.count; }));
  }
  EXPECT_TRUE(eventually(patience, [&] { return all_direct(pipeline.counters()); }));
  load.stop();
  EXPECT_TRUE(ends_quiet(pipeline));

  const Metrics seen = pipeline.counters();
  EXPECT_GT(sum(seen, &LaneMetrics::marked), 0);
  expect_conserved(seen);
  expect_audit_clean(Copies::marked);
}

}  // namespace
}  // namespace spillway::test
