// src/core/lane_states.hpp: when a lane leaves Kafka, and when it may return.
//
//   direct ──trip──► spilling ──nothing held, small backlog──► returning ──drained──► direct
//     ▲                │  ▲                                        │
//     └──nothing in────┘  └──────────journal fills, too long───────┘
//        the outbox
//   any but returning ──fatal producer──► recalling ──every report in──► spilling
//
// A pure function of facts; loops/lane_loop.cpp gathers them and acts.

#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "core/time.hpp"
#include "spillway/metrics.hpp"

namespace spillway::core {

using spillway::LaneState;

struct LaneLimits {
  Duration failover_after = std::chrono::milliseconds{75};
  /// Instead of it until LaneFacts::relaxed_until: a restarted broker is slow at first, a busy one
  /// for as long as it is busy.
  Duration failover_after_relaxed = std::chrono::milliseconds{300};
  std::size_t backlog_rows_max = 100'000;
  unsigned high_water_percent = 50;
  Duration return_within = std::chrono::seconds{3};
};

struct LaneFacts {
  bool producer_fatal = false;
  bool broker_gone = false;    ///< No broker up, or it refuses us, and records are outstanding.
  bool batch_refused = false;  ///< A batch failed as a whole: its records need the outbox.
  bool topic_unknown = false;  ///< The next record's topic could not be asked for yet.
  bool spill_forced = false;   ///< By configuration, for drills.
  bool outbox_owed = false;    ///< The next records are for the outbox, whatever Kafka can do.
  std::optional<Instant> oldest_unreported_at = {};  ///< Submitted then, and still without report.
  Instant relaxed_until{};
  std::size_t reports_owed = 0;   ///< After a recall.
  std::size_t held = 0;           ///< Held and not yet released.
  Instant spill_until{};          ///< After trips in quick succession: Kafka has to prove itself.
  bool producer_warm = false;     ///< Connected, with its producer id.
  bool outbox_untouched = false;  ///< No row of the stream is, or may be, in the outbox.
  bool outbox_drained = false;    ///< Rows were written, and the relay has passed the last.
  std::size_t backlog_rows = 0;   ///< Written, or with the writer, and not yet relayed.
  unsigned returns_given_up = 0;  ///< Since it was direct: each halves the backlog to return at.
  unsigned journal_percent = 0;
  std::optional<Instant> returning_since = {};
};

/// The state after `from`, given what was seen. @source design §5
[[nodiscard]] LaneState next_state(LaneState from, const LaneFacts& seen, const LaneLimits& limits,
                                   Instant now) noexcept;

/// Why a direct lane with these facts stops feeding Kafka; for the log.
[[nodiscard]] std::string trip_reason(const LaneFacts& seen, Instant now);

/// A lane that spills could return, but for a journal too full to wait in: the relay has to get
/// ahead of it first.
[[nodiscard]] bool is_overloaded(const LaneFacts& seen, const LaneLimits& limits,
                                 Instant now) noexcept;

}  // namespace spillway::core
