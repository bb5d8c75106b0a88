// include/spillway/publisher.hpp: how envelopes enter a pipeline.
//
//   publish() ──copy──► journal ──hand-off──► lane ──► Kafka, or the outbox
//
// Accepted: the envelope is in the journal, outlives a kill -9 of this process, and ends delivered,
// spilled or dead-lettered. Not promised: that it outlives its host before then (Pipeline::wait()
// tells), or that it arrives only once (DedupFilter drops the copies).
// Order: if publish(A) returned before publish(B) began, on whichever threads of this process, and
// topic and key are the same, a consumer meets A first. Without a key, the same holds for envelopes
// of one Publisher within a partition.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "spillway/envelope.hpp"
#include "spillway/export.hpp"
#include "spillway/outcome.hpp"

namespace spillway {

/// What became of one publish(). A refusal leaves nothing behind.
enum class PublishStatus : std::uint8_t {
  accepted,      ///< The caller's bytes may be reused at once.
  journal_full,  ///< Kafka and the outbox are behind. Retry later, or use publish_within().
  too_large,     ///< Above `Config::journal.record_bytes_max`. A retry fails too.
  closed,        ///< Pipeline::close() has begun. A retry fails too.
};

/// A status, with a ticket when it is `accepted`.
class [[nodiscard]] PublishResult {
 public:
  constexpr explicit PublishResult(Ticket ticket) noexcept : ticket_{ticket} {}
  constexpr explicit PublishResult(PublishStatus refusal) noexcept : status_{refusal} {}

  [[nodiscard]] constexpr PublishStatus status() const noexcept { return status_; }
  constexpr explicit operator bool() const noexcept { return ticket_.has_value(); }
  /// For Pipeline::wait(). Nothing when refused.
  [[nodiscard]] constexpr std::optional<Ticket> ticket() const noexcept { return ticket_; }

 private:
  PublishStatus status_ = PublishStatus::accepted;
  std::optional<Ticket> ticket_;
};

/// Room in the journal for one payload, written in place; given back if dropped without commit().
/// Lives in one scope, within its Publisher's; one at a time: while it lives, that Publisher
/// publishes nothing else. @thread that of its Publisher
class SPILLWAY_EXPORT Claim {
 public:
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim();

  /// The bytes asked for, not zeroed; empty when refused.
  [[nodiscard]] std::span<std::byte> payload() const noexcept;

  /// Publishes what payload() holds; once. A refused claim answers with its refusal.
  /// @order stamped now, not when it was claimed
  PublishResult commit() noexcept;

 private:
  friend class Publisher;
  struct Room;
  explicit Claim(Room* room) noexcept;
  Room* room_;  // the Publisher's
};

/// One thread's way in; made by Pipeline::publisher(), ends before its Pipeline.
///
/// @thread one at a time: it may move to another thread, two threads use two Publishers
/// @blocks never, but for publish_within(): no lock, no system call, nobody is woken
/// @allocates never, unless a lane is behind by more records than the journal holds at 128 bytes
class SPILLWAY_EXPORT Publisher {
 public:
  Publisher(Publisher&& other) noexcept;
  Publisher& operator=(Publisher&& other) noexcept;
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher();

  /// Copies one envelope into the journal and hands it to the lane of its key, or with `no_key` to
  /// this Publisher's home lane. All views may end with the call.
  PublishResult publish(const Topic& topic, Key key, Bytes payload, Headers headers = {}) noexcept {
    return publish(Envelope{.topic = topic, .key = key, .payload = payload, .headers = headers});
  }
  PublishResult publish(const Envelope& envelope) noexcept;

  /// publish(), which on `journal_full` tries again until `timeout` has passed.
  /// @blocks up to `timeout`
  PublishResult publish_within(std::chrono::nanoseconds timeout, const Envelope& envelope) noexcept;

  /// publish() without the copy: write into Claim::payload(), then commit().
  [[nodiscard]] Claim claim(const Topic& topic, Key key, std::size_t payload_bytes,
                            Headers headers = {}) noexcept;

 private:
  friend class Claim;
  friend class Pipeline;
  struct Impl;
  explicit Publisher(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spillway
