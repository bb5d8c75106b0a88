// tests/support/sim/trace.hpp: what happened in a simulated world, in order, and its hash.
//
// The hash of a seed's trace is equal in every rerun; the entries are kept for tests that ask what
// came before what.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/ids.hpp"
#include "core/time.hpp"

namespace spillway::sim {

enum class EventKind : std::uint8_t {
  appended,       ///< A record is in Kafka's log.
  committed,      ///< Rows `first` to `last` of a stream are in the outbox.
  released,       ///< The held rows of a stream are resolved.
  buried,         ///< A record became a dead letter.
  leased,         ///< A relay holds the stream.
  rows_read,      ///< A relay read rows `first` to `last`.
  removed,        ///< Rows through `last` are gone.
  adopted,        ///< Held rows of a dead owner became ordinary ones.
  session_ended,  ///< On the server.
  pushed,         ///< A token is in the list.
  popped,         ///< A relay has it.
  server_state,   ///< Of Kafka, Postgres, Redis (`last` 0, 1, 2) to `first`.
  refused,        ///< Kafka refused a record together with others.
};

struct Event {
  core::Instant at;
  EventKind kind = EventKind::appended;
  core::StreamId stream;
  core::Seq first;
  core::Seq last;
  friend bool operator==(const Event&, const Event&) = default;
};

/// What a campaign wants to have happened at least once, and only the simulated servers know.
enum class Happening : std::uint8_t {
  commit_lost_yes,  ///< The connection was lost under COMMIT, which stood.
  commit_lost_no,   ///< It did not.
  commit_in_limbo,  ///< Nobody could know for a while.
  limbo_committed,  ///< And then, with nobody waiting, it stood.
  lease_lost_silently,
  recall_of_none,
  recall_of_one,
  recall_of_many,
  recall_mixed,
  recall_out_of_order,
  batch_refused,  ///< Of several records.
  one_refused,
  answered_no_leader,
  token_lost,
  list_at_cap,
  deletes_forgotten,  ///< By a Postgres that died.
  taken_back,         ///< At a failover.
};
inline constexpr std::size_t happening_count = 17;

class Trace {
 public:
  void note(const Event& event);
  void count(Happening what) noexcept { ++happened_[static_cast<std::size_t>(what)]; }
  [[nodiscard]] std::uint64_t counted(Happening what) const noexcept {
    return happened_[static_cast<std::size_t>(what)];
  }

  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
  /// Empty unless keep() was asked for.
  [[nodiscard]] const std::vector<Event>& events() const noexcept { return events_; }
  void keep(bool on) noexcept { keep_ = on; }

 private:
  std::uint64_t hash_ = 0;
  std::array<std::uint64_t, happening_count> happened_{};
  bool keep_ = true;
  std::vector<Event> events_;
};

}  // namespace spillway::sim
