// tools/spillway/demo_result.hpp: what one run of the demo found, and whether that is a pass.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "load_generator.hpp"
#include "spillway/metrics.hpp"
#include "verify/findings.hpp"

namespace spillway::program {

/// The acts of the play, and the phases in which publish() is timed.
enum class DemoAct : std::uint8_t {
  warming,  ///< The first second: caches and the broker's just-in-time compiler are cold. Not
            ///< shown.
  healthy,
  away,  ///< From the broker's death to the order to start it.
  back,  ///< From then on: it starts, the outbox drains, the lanes return.
};
inline constexpr std::size_t demo_acts = 4;
static_assert(demo_acts <= LoadGenerator::phases_max);

struct DemoResult {
  using Time = std::chrono::nanoseconds;

  std::string topic;
  std::uint64_t run = 0;
  double seconds = 0;
  std::uint64_t accepted = 0;  ///< As the publishers counted.
  std::uint64_t refused = 0;
  bool was_healthy = false;   ///< Every lane was direct before the broker was killed.
  bool settled = false;       ///< Everything, before the pipeline was closed.
  bool returned = false;      ///< Every lane was direct again, and stayed so.
  Metrics metrics;            ///< At the end, all settled.
  verify::AuditResult audit;  ///< Of the topic and the outbox: not of our counters.

  /// Broker's death → everything accepted until then acked or COMMITted.
  std::optional<Time> failover;
  /// Order to start the broker → the raw client's first ack: what the broker itself takes.
  std::optional<Time> broker_start;
  // From the raw client's first ack on:
  std::optional<Time> first_row;  ///< A relay got its first ack. Negative: before the raw client.
  std::optional<Time> released;
  std::optional<Time> outbox_empty;
  std::optional<Time> all_direct;

  std::vector<PublishLatency> publish = std::vector<PublishLatency>(demo_acts);

  [[nodiscard]] std::uint64_t reordered() const noexcept;
  [[nodiscard]] std::uint64_t fatal_errors() const noexcept;
  /// Why it is no pass; empty: it is one. Times count when `strict`.
  [[nodiscard]] std::vector<std::string> failures(bool strict) const;
};

[[nodiscard]] nlohmann::ordered_json json_of(const DemoResult& result);
void print(std::ostream& out, const DemoResult& result);

}  // namespace spillway::program
