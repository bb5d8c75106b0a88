// src/ports/broker.hpp: one Kafka producer as a lane or a relay sees it.
//
// submit() hands a record over, poll() tells what became of it, in any order. Nothing blocks a
// lane; a relay's poll() may for 1 ms. A broker is idempotent and waits for ever: left alone, it
// delivers what it has exactly once and in order.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/time.hpp"
#include "core/verdict.hpp"

namespace spillway::ports {

using Bytes = std::span<const std::byte>;

/// A topic as one Broker knows it; another Broker numbers anew.
struct TopicHandle {
  std::uint32_t value = 0;
};

/// What Spillway says of a record in its Kafka headers.
struct Provenance {
  core::StreamId stream;
  core::Seq seq;
  core::ResendCause resend = core::ResendCause::none;
  core::Seq renumbered_from = {};                          ///< 0: never renumbered.
  std::optional<core::UnixTime> relayed_accepted_at = {};  ///< Set on the relay's path only.
};

struct Submission {
  TopicHandle topic;
  // Read again until the report: their bytes must not change.
  std::optional<Bytes> key;
  std::optional<Bytes> payload;               ///< Nothing: a tombstone.
  Bytes headers;                              ///< A core/header_block.
  std::optional<std::int64_t> event_time_ms;  ///< Else Kafka's timestamp is the time of sending.
  Provenance provenance;
  std::uint64_t tag = 0;  ///< Comes back in the report.
};

enum class [[nodiscard]] SubmitResult : std::uint8_t {
  accepted,  ///< A report will follow.
  busy,      ///< Later again; no report follows.
  refused,   ///< Permanent, for this record alone: refusal() says why; no report follows.
  fatal,     ///< The producer is dead: recall(); no report follows.
};

using core::DeliveryOutcome;

/// Of a record that was reported before it was given one.
inline constexpr std::int32_t unknown_partition = -1;

struct Report {
  std::uint64_t tag = 0;
  DeliveryOutcome outcome = DeliveryOutcome::delivered;
  int error_code = 0;      ///< The client's; 0 when delivered.
  const char* error = "";  ///< Its name and text, static.
  std::int32_t partition = unknown_partition;
};

struct BrokerHealth {
  bool up = false;       ///< At least one broker is connected and answers.
  bool warm = false;     ///< Has its producer id: a record submitted now is sent now.
  bool fatal = false;    ///< Dead for good; recall() and replace.
  bool refused = false;  ///< Authentication or authorization of the connection failed.
};

class Broker {
 public:
  Broker() = default;
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  virtual ~Broker() = default;

  /// Makes or finds the handle for a topic. Does not ask Kafka whether it exists.
  [[nodiscard]] virtual TopicHandle open_topic(std::string_view name) = 0;

  [[nodiscard]] virtual SubmitResult submit(const Submission& record) noexcept = 0;

  /// Why the last submit() was `refused`; static text.
  [[nodiscard]] virtual const char* refusal() const noexcept = 0;

  /// Fills `reports` with what has finished; returns how many.
  [[nodiscard]] virtual std::size_t poll(std::span<Report> reports) noexcept = 0;

  /// Gives up what it keeps back behind other records of the partition, and returns the tags, in
  /// any order: no report follows. It was never sent; what is before it stays, and is finished as
  /// ever.
  [[nodiscard]] virtual std::vector<std::uint64_t> take_back() = 0;

  /// Takes back what is outstanding: each record is still reported, by poll().
  virtual void recall() noexcept = 0;

  [[nodiscard]] virtual BrokerHealth health() const noexcept = 0;

  /// Bytes of one batch at most: every topic used must take messages of that size.
  [[nodiscard]] virtual std::size_t batch_bytes_max() const noexcept = 0;
};

}  // namespace spillway::ports
