// include/spillway/metrics.hpp: a snapshot of the counters, and the laws they obey.
//
//   accepted = delivered + spilled + dead_lettered + in_flight
//   spilled  = relayed + outbox depth + dead-lettered by a relay          (once quiet)
//
// A held record is in flight until its release, whatever copies of it exist. in_flight is counted
// in the journal, never as the remainder, so a broken law shows.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "spillway/export.hpp"

namespace spillway {

enum class LaneState : std::uint8_t { direct, spilling, returning, recalling };
[[nodiscard]] SPILLWAY_EXPORT std::string_view name_of(LaneState state) noexcept;

/// A histogram's digest, in nanoseconds; quantiles are upper edges, at most 0.1 % above the truth.
struct Latency {
  struct Bucket {
    std::uint64_t upper_ns;  ///< UINT64_MAX in the last.
    std::uint64_t count;     ///< Of samples at or below `upper_ns` (cumulative).
  };
  std::uint64_t count = 0;
  std::uint64_t sum_ns = 0;
  std::uint64_t p50_ns = 0;
  std::uint64_t p90_ns = 0;
  std::uint64_t p99_ns = 0;
  std::uint64_t p999_ns = 0;
  std::uint64_t max_ns = 0;
  std::vector<Bucket> buckets;  ///< 100 us to 10 s, for exposition as a Prometheus histogram.
};

struct LaneMetrics {
  LaneState state = LaneState::direct;
  std::uint64_t accepted = 0;   ///< Taken over from publishers.
  std::uint64_t delivered = 0;  ///< Acked by Kafka on the direct path.
  std::uint64_t spilled = 0;  ///< Rows in the outbox that a relay has to forward, or has forwarded.
  std::uint64_t dead_lettered = 0;  ///< Stored by this lane's writer.
  std::uint64_t in_flight = 0;      ///< In the journal, outcome open.
  std::uint64_t held = 0;         ///< Of these: left with librdkafka when the lane stopped feeding.
  std::uint64_t held_copies = 0;  ///< Copies of held records COMMITted, ever.
  std::uint64_t trips = 0;        ///< direct → spilling, ever.
  std::uint64_t recalls = 0;      ///< Fatal producer errors, ever.
  std::uint64_t renumbered = 0;   ///< Records of a refused batch that went on under a new seq.
  std::uint64_t marked = 0;       ///< Rows spilled with a `spillway-resend` mark.
  std::uint64_t in_state_ns = 0;  ///< Since the last change of state.
};

struct RelayMetrics {
  bool running = false;
  std::uint64_t acked = 0;    ///< Rows that Kafka has; removed from the outbox a moment later.
  std::uint64_t relayed = 0;  ///< Rows removed from the outbox because Kafka has them.
  std::uint64_t dead_lettered = 0;
  std::uint64_t marked = 0;       ///< Sent with a `spillway-resend` mark.
  std::uint64_t wakeups = 0;      ///< Redis tokens received.
  std::uint64_t scans = 0;        ///< Looks at the stream table.
  std::uint64_t leases = 0;       ///< Held now.
  std::uint64_t adoptions = 0;    ///< Streams of dead owners taken over.
  std::uint64_t interval_ns = 0;  ///< The rung of the ladder it would wait now.
  std::uint64_t fatal_errors = 0;
};

struct ServerMetrics {
  bool kafka_up = false;
  bool postgres_up = false;
  bool redis_up = false;  ///< As the writer's wakeup connection sees it.
};

/// One moment. Counters only grow while the Pipeline lives.
struct Metrics {
  std::vector<LaneMetrics> lanes;
  RelayMetrics relay;
  ServerMetrics servers;

  std::uint64_t accepted = 0;  ///< publish() returned `accepted`, or found in the journal at start.
  std::uint64_t journal_full = 0;  ///< Refusals.
  std::uint64_t too_large = 0;
  std::uint64_t delivered = 0;
  std::uint64_t spilled = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t recovered = 0;  ///< Of `accepted`: left by a former process.
  std::uint64_t torn = 0;       ///< Records found half-written at start, and skipped.

  std::uint64_t journal_bytes = 0;
  std::uint64_t journal_used_bytes = 0;
  std::uint64_t outbox_queue_depth = 0;  ///< Rows of this instance's streams not yet relayed.

  /// Over the last ten seconds or so; 1 and 0 when nothing was published.
  double kafka_publish_success_rate = 1;
  double outbox_fallback_rate = 0;

  Latency publish;                  ///< One call in 64 is timed.
  Latency ack;                      ///< Stamp → Kafka's ack, direct path.
  Latency outbox_processing_delay;  ///< COMMIT → acked by Kafka, while Kafka was up throughout.
  Latency outbox_processing_delay_all;  ///< The same over all rows.

  /// Trip → everything accepted until then acked or COMMITted; of the last failover. 0: none yet.
  std::uint64_t last_failover_ns = 0;
  /// Kafka's first report after the last trip → direct again; 0: none yet.
  std::uint64_t last_return_ns = 0;
};

}  // namespace spillway
