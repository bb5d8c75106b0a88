// src/loops/relay_stream.hpp: the rows of one leased stream, from read to removed.
//
//   | acked or dead: removed next | with Kafka, or waiting for it | ... cursor ─► not yet read
//
// No I/O; relay_loop.cpp reads, sends and removes.

#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/ids.hpp"
#include "core/ring_queue.hpp"
#include "core/time.hpp"
#include "ports/broker.hpp"
#include "ports/relay_store.hpp"

namespace spillway::loops {

enum class RowState : std::uint8_t { waiting, sent, acked, dead };

/// A partition, by Kafka's number, of one topic.
struct Partition {
  core::TopicIndex topic;
  std::int32_t number = ports::unknown_partition;

  friend auto operator<=>(const Partition&, const Partition&) = default;
};

struct QueuedRow {
  std::shared_ptr<const ports::RowBatch> batch;  ///< Where the row lies.
  const ports::RelayRow* row = nullptr;
  RowState state = RowState::waiting;
  core::ResendCause resend = core::ResendCause::none;
  bool alone = false;  ///< Nothing else may be with Kafka meanwhile: a batch of its own.
  std::optional<Partition> refused_in =
      {};                  ///< There its batch was refused, for it or another row.
  const char* error = "";  ///< Of a dead one; static.
};

/// What this relay did with a stream under former leases, and Postgres may have forgotten.
struct FormerLease {
  core::Seq sent_through;     ///< Maybe; what is sent of it again is marked.
  core::Seq removed_through;  ///< Counted as done.
};

class RelayStream {
 public:
  RelayStream(const ports::LeasedStream& leased, std::uint64_t lease,
              const FormerLease& former) noexcept
      : id_{leased.id},
        lease_{lease},
        former_{former},
        finished_{leased.relayed_through},
        cursor_{leased.relayed_through},
        written_{leased.written_through} {}

  [[nodiscard]] core::StreamId id() const noexcept { return id_; }
  /// Which of this relay's leases it is: a report about an older one is nobody's.
  [[nodiscard]] std::uint64_t lease() const noexcept { return lease_; }

  // The lease.
  void suspend() noexcept { leased_ = false; }
  /// The session was lost and nobody else had the lease meanwhile.
  void resume(const ports::LeasedStream& leased) noexcept;
  [[nodiscard]] bool is_leased() const noexcept { return leased_; }
  /// Postgres died and has forgotten a removal: rows that are gone from here are in the outbox.
  [[nodiscard]] bool is_ahead_of(core::Seq relayed_through) const noexcept {
    return finished_ > relayed_through;
  }

  // Reading.
  void on_news(core::Seq written_through) noexcept;
  void on_token() noexcept { maybe_more_ = true; }
  [[nodiscard]] bool wants_read() const noexcept { return maybe_more_ || cursor_ < written_; }
  [[nodiscard]] core::Seq cursor() const noexcept { return cursor_; }
  /// Of this lease too, once it has ended.
  [[nodiscard]] FormerLease former() const noexcept {
    return {.sent_through = std::max(cursor_, former_.sent_through),
            .removed_through = std::max(finished_, former_.removed_through)};
  }
  void begin_read() noexcept;
  void on_rows(const std::shared_ptr<const ports::RowBatch>& batch);

  // Sending.
  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  /// The next to send, and its seq order is the only one; null when none may be sent now.
  [[nodiscard]] QueuedRow* next_waiting() noexcept;
  void on_sent(QueuedRow& row) noexcept;
  void on_dead(QueuedRow& row, const char* error) noexcept;
  /// What became of a sent row; null when it is not there any more.
  [[nodiscard]] QueuedRow* find_sent(core::Seq seq) noexcept;
  void on_acked(QueuedRow& row, Partition in);
  /// Its producer died with it: it goes to Kafka again, where it may be already.
  void on_maybe_appended(QueuedRow& row, Partition in);
  /// Its batch was refused, and a later row is, or may be, in its partition since: under its
  /// position, which it keeps, a consumer's filter would drop it. Known of a row that is to be sent
  /// alone.
  [[nodiscard]] bool is_overtaken(const QueuedRow& row) const;
  /// It goes to Kafka again.
  void on_returned(QueuedRow& row) noexcept;

  // Removing.
  struct Removal {
    core::Seq from;
    core::Seq through;
    std::vector<ports::RelayDeadLetter> dead;
  };
  /// Worth a transaction: `rows_enough` are done, or nothing else is going on.
  [[nodiscard]] bool wants_removal(std::size_t rows_enough) noexcept;
  [[nodiscard]] Removal begin_removal();
  void on_removed() noexcept;
  /// The first of the rows under removal, by index below removing().
  [[nodiscard]] const QueuedRow& row(std::size_t i) const noexcept { return rows_[i]; }
  [[nodiscard]] std::size_t removing() const noexcept { return removing_; }
  /// It was removed before, and Postgres has forgotten that.
  [[nodiscard]] bool is_counted(const QueuedRow& row) const noexcept {
    return row.row->seq <= former_.removed_through;
  }

  /// Nothing is read, sent or to be removed, as far as is known.
  [[nodiscard]] bool is_drained() const noexcept;
  [[nodiscard]] std::size_t depth() const noexcept;

 private:
  void note_appended(const QueuedRow& row, Partition in);
  [[nodiscard]] std::size_t done_prefix() noexcept;

  core::StreamId id_;
  std::uint64_t lease_;
  FormerLease former_;
  bool leased_ = true;
  core::Seq finished_;  // removed through
  core::Seq cursor_;    // read through
  core::Seq written_;   // known to be written
  core::Seq read_covers_;
  bool maybe_more_ = true;

  core::RingQueue<QueuedRow> rows_{1'024};
  std::size_t next_waiting_ = 0;                     // nothing before it waits
  std::size_t done_ = 0;                             // all before it are acked or dead
  std::map<Partition, core::Seq> appended_through_;  // or maybe
  std::size_t removing_ = 0;
  core::Seq removing_through_;
};

}  // namespace spillway::loops
