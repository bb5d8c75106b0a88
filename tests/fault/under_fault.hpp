// tests/fault/under_fault.hpp: one fault, met in one phase of a lane, under load, until all is well
// again.
//
// Each case ends in the audit, in the conservation laws, and in a process as it was before: no
// thread and no descriptor more.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "support/on_real_stack.hpp"
#include "support/process_shape.hpp"
#include "support/toxiproxy.hpp"

namespace spillway::test {

/// A number that the caller may set, such as SPILLWAY_TEST_ROUNDS.
[[nodiscard]] std::uint64_t number_from(const char* variable, std::uint64_t otherwise);

/// What the lanes do when the fault begins.
enum class Phase { direct, spilling, returning };

class UnderFault;

struct Fault {
  std::string name;
  std::string row;  ///< Of the fault table: X4.
  std::function<void(UnderFault&)> begin = {};
  std::function<void(UnderFault&)> end = {};
  std::chrono::milliseconds lasts{2'000};
  /// Where it may make copies: a relay that lost its lease, or its rows' removal.
  Copies copies = Copies::none;
  /// What the log has to say of it when it met lanes that spilled.
  std::string told = {};
  /// What has to have come of it, once all is well again.
  std::function<void(UnderFault&, const Metrics&)> expect = [](UnderFault&, const Metrics&) {};
};

class UnderFault : public OnRealStack {
 public:
  // What faults are made with.
  const Link kafka_link{Server::kafka};
  const Link postgres_link{Server::postgres};
  const Link redis_link{Server::redis};
  using OnRealStack::kafka;
  using OnRealStack::partitions;
  using OnRealStack::patience;
  using OnRealStack::sql;
  using OnRealStack::stack;
  using OnRealStack::topic_name;

  /// The login of proxied_config(): a service's and its relay's rights, and no others.
  [[nodiscard]] const std::string& service_role() const noexcept { return service_role_; }

 protected:
  UnderFault();
  void TearDown() override;

  void run(const Fault& fault, Phase phase);
  /// The lanes of `pipeline`, under load, do what the phase says.
  void reach(Phase phase, const Pipeline& pipeline);
  /// Through the proxies, as the service's role.
  [[nodiscard]] Config proxied_config();

 private:
  void mend_all() const;

  ProcessShape before_;
  std::string service_role_;  // of the test's own: roles belong to the whole server
};

struct Cell {
  Fault fault;
  Phase phase = Phase::direct;
};

/// Each fault in each of the phases.
[[nodiscard]] std::vector<Cell> cells(const std::vector<Fault>& faults,
                                      const std::vector<Phase>& phases);
/// "ConnectionCutWhileDirect".
[[nodiscard]] std::string name_of(const ::testing::TestParamInfo<Cell>& cell);

}  // namespace spillway::test
