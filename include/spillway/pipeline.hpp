// include/spillway/pipeline.hpp: what a service opens once.
//
// A Pipeline owns the journal, one thread for each lane, the outbox writer's, the relay's and the
// housekeeper's. It opens while Kafka, Postgres and Redis are away: what it accepts then waits in
// the journal, is spilled as soon as Postgres answers, and sent as soon as Kafka does.

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

#include "spillway/config.hpp"
#include "spillway/envelope.hpp"
#include "spillway/export.hpp"
#include "spillway/metrics.hpp"
#include "spillway/outcome.hpp"
#include "spillway/publisher.hpp"

namespace spillway {

/// @thread any, unless a function says otherwise
class SPILLWAY_EXPORT Pipeline {
 public:
  /// Opens or creates the journal, takes over what a former process left there, starts the threads.
  /// @blocks about 0.2 s for 256 MiB of journal, and up to `kafka.ready_within` for Kafka
  /// @throws ConfigError with every violation; StartError when the journal cannot be used
  [[nodiscard]] static Pipeline open(const Config& config);

  Pipeline(Pipeline&& other) noexcept;
  Pipeline& operator=(Pipeline&& other) noexcept;
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  /// close() with `Config::close_within`.
  ~Pipeline();

  /// A topic by name; the same name gives the same Topic. Asks Kafka for it; when Kafka cannot be
  /// asked within `kafka.topic_within`, the lanes start spilling and the question is asked again
  /// later.
  /// @blocks up to `kafka.topic_within`
  /// @throws StartError when Kafka says that there is no such topic, or the name is not one
  [[nodiscard]] Topic topic(std::string_view name);

  /// A way in for one thread. Ends before the Pipeline does.
  /// @allocates its tokens
  [[nodiscard]] Publisher publisher();

  /// Waits until that envelope is safe from the loss of the host.
  /// @blocks until `deadline`
  [[nodiscard]] Outcome wait(const Ticket& ticket, Deadline deadline) const noexcept;

  /// Waits until all that was accepted before the call is settled. False: the deadline passed.
  /// @blocks until `deadline`
  [[nodiscard]] bool flush(Deadline deadline) const noexcept;

  /// Refuses new envelopes, drains until the deadline, ends the threads. What is left stays in the
  /// journal, and the next open() of that file delivers it. True: nothing was left. Again: the same
  /// answer.
  /// @blocks until `deadline`, and a moment for the threads
  bool close(Deadline deadline) noexcept;

  /// @allocates and takes about a millisecond: the latencies are summed up over all threads
  [[nodiscard]] Metrics metrics() const;

  /// metrics() without the latencies: a microsecond, for those who look often.
  [[nodiscard]] Metrics counters() const;

 private:
  struct Impl;
  explicit Pipeline(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spillway
