// include/spillway/relay.hpp: for programs: the relay as a process of its own.
//
// Forwards the outbox's rows, of every service that shares the database, to Kafka. Several may run:
// each stream is forwarded by one of them at a time.

#pragma once

#include <memory>

#include "spillway/config.hpp"
#include "spillway/export.hpp"
#include "spillway/metrics.hpp"
#include "spillway/outcome.hpp"

namespace spillway {

struct RelayReport {
  RelayMetrics relay;
  ServerMetrics servers;
  std::uint64_t outbox_queue_depth = 0;  ///< Rows waiting, over all streams, as of its last look.
  Latency outbox_processing_delay;
  Latency outbox_processing_delay_all;
};

/// @thread any
class SPILLWAY_EXPORT Relay {
 public:
  /// Starts forwarding; needs no journal. Opens while servers are away.
  /// @throws ConfigError
  [[nodiscard]] static Relay open(const Config& config);

  Relay(Relay&& other) noexcept;
  Relay& operator=(Relay&& other) noexcept;
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  /// close() with `Config::close_within`.
  ~Relay();

  [[nodiscard]] RelayReport report() const;

  /// Reads no further row, waits for what is with Kafka, removes what was acked, returns the
  /// leases. True: nothing it had read was left unacked.
  /// @blocks until `deadline`
  bool close(Deadline deadline) noexcept;

 private:
  struct Impl;
  explicit Relay(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spillway
