#include "fault/under_fault.hpp"

#include <cstdlib>
#include <exception>
#include <thread>

namespace spillway::test {
namespace {

std::string name_of(Phase phase) {
  switch (phase) {
    case Phase::direct:
      return "Direct";
    case Phase::spilling:
      return "Spilling";
    case Phase::returning:
      return "Returning";
  }
  return {};
}

}  // namespace

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no test changes its environment.
  const char* const given = std::getenv(variable);
  return given == nullptr ? otherwise : std::stoull(given);
}

UnderFault::UnderFault()
    : before_{ProcessShape::now()},
      service_role_{sql().value("SELECT current_database() || '_service'")} {
  mend_all();
  sql().run("CREATE ROLE " + service_role_ + " LOGIN IN ROLE spillway_writer, spillway_relay");
}

void UnderFault::TearDown() {
  try {
    mend_all();
    sql().run("DROP ROLE " + service_role_);
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
  OnRealStack::TearDown();
  // Threads that have ended are still listed for a moment.
  EXPECT_TRUE(eventually(patience, [this] { return ProcessShape::now() == before_; }))
      << "threads " << before_.threads << " -> " << ProcessShape::now().threads << ", descriptors "
      << before_.descriptors << " -> " << ProcessShape::now().descriptors;
}

Config UnderFault::proxied_config() {
  Config config = OnRealStack::config();
  config.kafka.bootstrap_servers = proxied_kafka();
  config.postgres.conninfo += " port=" + proxied_postgres_port() + " user=" + service_role_;
  config.redis.url = proxied_redis();
  return config;
}

void UnderFault::run(const Fault& fault, Phase phase) {
  SCOPED_TRACE(fault.row + " of the fault table");
  Pipeline pipeline = Pipeline::open(proxied_config());
  program::LoadGenerator load = load_on(pipeline);
  reach(phase, pipeline);

  const std::uint64_t accepted = pipeline.counters().accepted;
  fault.begin(*this);
  std::this_thread::sleep_for(fault.lasts);
  EXPECT_GT(pipeline.counters().accepted, accepted) << "publishers were stopped";
  fault.end(*this);
  kafka_link.mend();

  EXPECT_TRUE(eventually(patience, [&] { return all_direct(pipeline.counters()); }))
      << "a lane is stuck";
  load.stop();
  EXPECT_TRUE(ends_quiet(pipeline));
  const Metrics seen = pipeline.counters();
  expect_conserved(seen);
  fault.expect(*this, seen);
  if (phase == Phase::spilling) {
    EXPECT_TRUE(lines().has(fault.told)) << fault.told;
  }
  expect_audit_clean(fault.copies == Copies::marked ? Copies::marked : copies_of(seen));
}

void UnderFault::reach(Phase phase, const Pipeline& pipeline) {
  ASSERT_TRUE(eventually(patience, [&] { return pipeline.counters().delivered > 1'000; }));
  if (phase == Phase::direct) return;
  kafka_link.cut();
  ASSERT_TRUE(eventually(patience, [&] { return pipeline.counters().spilled > 2'000; }));
  if (phase == Phase::returning) kafka_link.mend();
}

void UnderFault::mend_all() const {
  for (const Link* link : {&kafka_link, &postgres_link, &redis_link})
    link->mend();
}

std::vector<Cell> cells(const std::vector<Fault>& faults, const std::vector<Phase>& phases) {
  std::vector<Cell> all;
  for (const Fault& fault : faults) {
    for (const Phase phase : phases)
      all.push_back({.fault = fault, .phase = phase});
  }
  return all;
}

std::string name_of(const ::testing::TestParamInfo<Cell>& cell) {
  return cell.param.fault.name + "While" + name_of(cell.param.phase);
}

}  // namespace spillway::test
