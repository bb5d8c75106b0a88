// src/ports/outbox_store.hpp: the outbox as a stream's owner, its only writer, sees it.
//
// One session, one transaction at a time: start one with write_rows(), write_dead_letters(),
// release() or read_progress(), then poll() until its event comes. The session connects by itself,
// with backoff, for ever; connected means that it also holds the lock of its instance, so no older
// session of this instance can commit any more.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/time.hpp"
#include "ports/broker.hpp"

namespace spillway::ports {

/// One row to be written. Views are read during the call only.
struct OutboxRow {
  core::Seq seq;
  std::string_view topic;
  std::optional<Bytes> key;
  std::optional<Bytes> payload;
  Bytes headers;  ///< A core/header_block.
  core::UnixTime accepted_at;
  std::optional<std::int64_t> event_time_ms;
  bool held = false;
  core::ResendCause resend = core::ResendCause::none;
  core::Seq renumbered_from;  ///< 0: never; else the row is to be sent alone.
};

struct DeadLetterRow {
  OutboxRow row;
  std::string_view error;
};

/// What becomes of a held row that Kafka did not take.
struct Unfinished {
  core::Seq seq;
  core::ResendCause resend =
      core::ResendCause::none;              ///< Its mark, when it becomes an ordinary row.
  const char* dead_letter_error = nullptr;  ///< Not null: it becomes a dead letter instead.
};

/// What the stream's tables say. 0 is none.
struct StreamState {
  core::LaneIndex lane;
  core::Seq written_through;  ///< Highest seq ever written as a row.
  core::Seq held_through;     ///< Highest seq of a held row; 0 once released.
  core::Seq relayed_through;  ///< No row at or below it is left.
};

enum class StoreEventKind : std::uint8_t {
  none,
  connected,  ///< `streams` holds every stream of the instance.
  lost,       ///< The session ended. A transaction under way is in doubt until `connected`.
  committed,  ///< The transaction is durable.
  refused,    ///< The transaction failed for good as it is; `error` says why.
  retry,      ///< The transaction failed, surely without effect, for a passing reason; `error` says
              ///< why.
  progress,   ///< The answer to read_progress(), in `streams`.
};

/// Views end with the next call on the store.
struct StoreEvent {
  StoreEventKind kind = StoreEventKind::none;
  std::span<const StreamState> streams;
  std::string_view error;
};

class OutboxStore {
 public:
  OutboxStore() = default;
  OutboxStore(const OutboxStore&) = delete;
  OutboxStore& operator=(const OutboxStore&) = delete;
  virtual ~OutboxStore() = default;

  /// Moves the connection and the transaction on; at most one event each call. Never blocks.
  [[nodiscard]] virtual StoreEvent poll(core::Instant now) noexcept = 0;

  /// True when connected and no transaction is under way: only then may one be started.
  [[nodiscard]] virtual bool is_idle() const noexcept = 0;

  /// Raises the stream's `written_through` to the last row's seq, and `held_through` to the last
  /// held one's, then copies the rows: one transaction. Rows ascend by seq.
  virtual void write_rows(core::LaneIndex lane, std::span<const OutboxRow> rows) = 0;

  /// A letter that is stored already is left as it is.
  virtual void write_dead_letters(core::LaneIndex lane, std::span<const DeadLetterRow> letters) = 0;

  /// In one transaction: `unfinished` rows become ordinary ones or dead letters, every other held
  /// row at or below `held_through` is deleted, the stream is released. Doing it twice does no
  /// harm.
  virtual void release(core::LaneIndex lane, core::Seq held_through,
                       std::span<const Unfinished> unfinished) = 0;

  /// After a crash nobody knows what became of the held rows: all become ordinary ones, marked
  /// `recovery`.
  virtual void release_unknown(core::LaneIndex lane) = 0;

  virtual void read_progress() = 0;
};

}  // namespace spillway::ports
