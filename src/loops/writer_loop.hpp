// src/loops/writer_loop.hpp: the outbox writer: jobs of all lanes, one transaction at a time.
//
// A transaction is a run of jobs of one lane and one kind, from the head of what waits: no timer.
// Jobs stay at the head until their COMMIT is certain, so a doubt is answered by what Postgres then
// says of the stream, and nothing is written twice or left out.

#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "core/backoff.hpp"
#include "core/ring_queue.hpp"
#include "handoff/arrow.hpp"
#include "handoff/counters.hpp"
#include "journal/journal.hpp"
#include "loops/dead_letter_teller.hpp"
#include "loops/writer_messages.hpp"
#include "ports/log.hpp"
#include "ports/outbox_store.hpp"
#include "ports/wakeup_channel.hpp"
#include "spillway/config.hpp"

namespace spillway::loops {

struct WriterSettings {
  std::size_t batch_rows_max = 1'000;
  std::size_t batch_bytes_max = std::size_t{1} << 20;
  /// A small batch begins so long after the one before it: a transaction costs Postgres as much as
  /// some fifty rows.
  core::Duration batch_spacing = std::chrono::milliseconds{2};
  core::Duration unix_time_offset{};  ///< Add to a stamp: nanoseconds since 1970.
  std::uint64_t seed = 1;             ///< Of the retries' jitter.
};

/// A lane's arrows, at the writer's end.
struct WriterLane {
  handoff::Arrow<WriterJob>& jobs;
  handoff::Arrow<WriterReport>& reports;
};

struct WriterWiring {
  journal::Journal& journal;
  ports::OutboxStore& store;
  ports::WakeupSender& wakeups;
  handoff::WriterCounters& counters;
  ports::Log& log;
  std::function<void(const DeadLetter&)> on_dead_letter;
};

/// @thread writer
class WriterLoop {
 public:
  WriterLoop(const WriterSettings& settings, WriterWiring wiring,
             const std::vector<WriterLane>& lanes);

  /// Bounded work, no wait; how much was done.
  std::size_t step(core::Instant now);

  /// A transaction is under way: soon there will be something to do.
  [[nodiscard]] bool is_busy() const noexcept { return transaction_.has_value() || asking_; }

 private:
  struct Lane {
    explicit Lane(const WriterLane& to_and_fro) : arrows{to_and_fro} {}

    WriterLane arrows;
    core::RingQueue<WriterJob> waiting{256};
    ports::StreamState stream;
    core::Instant rows_begun_at = {};
    bool is_held = false;  ///< No relay may touch the stream before the release.
  };
  struct Transaction {
    std::size_t lane = 0;
    JobKind kind = JobKind::row;
    std::size_t jobs = 0;
    core::Seq last = {};  ///< Of rows.
    bool has_held = false;
    bool in_doubt = false;
  };

  std::size_t take_jobs();
  void withdraw(Lane& lane, std::size_t index);
  std::size_t hear_store(core::Instant now);
  void on_connected(std::span<const ports::StreamState> streams, core::Instant now);
  void on_committed(core::Instant now);
  void on_streams(std::span<const ports::StreamState> streams);
  void open_gate();
  void tell_dead_letters(const Lane& lane, std::size_t jobs, core::Instant now);

  std::size_t start_next(core::Instant now);
  bool release_leftovers();
  [[nodiscard]] bool waits_for_more(const Lane& lane, core::Instant now) const;
  void start(std::size_t lane, core::Instant now);
  void start_rows(Lane& lane, Transaction& transaction);
  void start_dead_letters(Lane& lane, Transaction& transaction);
  bool ask_progress(core::Instant now);
  [[nodiscard]] ports::OutboxRow row_of(const WriterJob& job) const;

  const WriterSettings settings_;
  WriterWiring with_;
  std::vector<Lane> lanes_;
  DeadLetterTeller teller_;
  std::size_t next_lane_ = 0;

  std::optional<Transaction> transaction_;
  bool connected_ = false;
  bool failing_ = false;     // the last transaction had no effect
  bool asked_once_ = false;  // streams were told since the start
  bool gated_;
  std::vector<core::LaneIndex> leftovers_;  // streams whose held rows a former process left
  bool releasing_leftover_ = false;
  core::Instant not_before_{};  // after a passing failure
  core::Backoff backoff_;

  bool asking_ = false;  // for the relay's progress
  core::Instant asked_at_{};
  core::Duration ask_interval_;

  std::vector<WriterJob> arrived_;  // as many as are taken at once
  std::vector<ports::OutboxRow> rows_;
  std::vector<ports::DeadLetterRow> letters_;
};

}  // namespace spillway::loops
