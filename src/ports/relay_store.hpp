// src/ports/relay_store.hpp: the outbox as a relay sees it: leases, rows in order, removal.
//
// One session, one request at a time: start it, then poll() until its event comes. The session
// connects by itself, with backoff, for ever. Leases live and die with the session.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/ids.hpp"
#include "core/time.hpp"
#include "ports/broker.hpp"

namespace spillway::ports {

struct RelayRow {
  core::Seq seq;
  std::string_view topic;
  std::optional<Bytes> key;
  std::optional<Bytes> payload;
  Bytes headers;
  core::UnixTime accepted_at;
  core::UnixTime spilled_at;  ///< Of the transaction that wrote it.
  std::optional<std::int64_t> event_time_ms;
  core::ResendCause resend = core::ResendCause::none;
  core::Seq renumbered_from;
  bool send_alone = false;  ///< Started more often than finished, or renumbered.
};

/// Rows of one read, ascending by seq, and the memory they lie in.
class RowBatch {
 public:
  RowBatch() = default;
  RowBatch(const RowBatch&) = delete;
  RowBatch& operator=(const RowBatch&) = delete;
  virtual ~RowBatch() = default;
  [[nodiscard]] virtual std::span<const RelayRow> rows() const noexcept = 0;
};

/// A stream with rows, whose lease this session holds.
struct LeasedStream {
  core::StreamId id;
  core::Seq written_through;  ///< Every row at or below it is visible to a later read().
  core::Seq relayed_through;
  bool is_new =
      false;  ///< Taken now from another holder, or from none: what this relay knew of it is stale.
};

/// A row that can never be delivered.
struct RelayDeadLetter {
  core::Seq seq;
  const char* error = "";
  core::ResendCause resend = core::ResendCause::none;  ///< It may be in Kafka all the same.
};

enum class RelayEventKind : std::uint8_t {
  none,
  connected,
  lost,      ///< The session ended, and every lease with it. A request under way is in doubt.
  scanned,   ///< `streams`: those with rows that may be sent, leased by this session.
  rows,      ///< The answer to read(); `batch` is empty when nothing is above the cursor.
  finished,  ///< finish() is done.
  given_up,  ///< give_up() is done.
  failed,    ///< The request failed without effect; `error` says why. Later again.
};

struct RelayEvent {
  RelayEventKind kind = RelayEventKind::none;
  std::span<const LeasedStream> streams;  ///< Ends with the next call on the store.
  std::shared_ptr<const RowBatch> batch;
  std::string_view error;     ///< Ends with the next call on the store.
  std::uint32_t adopted = 0;  ///< With `scanned`: streams of dead owners taken over by this scan.
};

class RelayStore {
 public:
  RelayStore() = default;
  RelayStore(const RelayStore&) = delete;
  RelayStore& operator=(const RelayStore&) = delete;
  virtual ~RelayStore() = default;

  [[nodiscard]] virtual RelayEvent poll(core::Instant now) noexcept = 0;
  [[nodiscard]] virtual bool is_idle() const noexcept = 0;

  /// Looks for streams with rows and takes their leases. A stream with held rows is left out,
  /// unless its owner's lock has been free for the grace at every look since: then its rows are
  /// adopted, marked `recovery`. Taking a lease marks what the former holder may have sent
  /// (`lease`).
  virtual void scan(core::Instant now) = 0;

  /// Rows of a leased stream above `after`, at most `rows_max`, about `bytes_max` bytes; before
  /// they are returned it is durably noted that they were started.
  virtual void read(core::StreamId stream, core::Seq after, std::size_t rows_max,
                    std::size_t bytes_max) = 0;

  /// Removes the rows above `from` through `through`, moves `dead` of these to the dead letters,
  /// and raises `relayed_through`: one transaction.
  virtual void finish(core::StreamId stream, core::Seq from, core::Seq through,
                      std::span<const RelayDeadLetter> dead) = 0;

  /// Returns the lease.
  virtual void give_up(core::StreamId stream) = 0;
};

}  // namespace spillway::ports
