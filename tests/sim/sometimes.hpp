// tests/sim/sometimes.hpp: situations that a campaign must have met, or it has proved nothing about
// them (as in Antithesis).

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iosfwd>

#include "support/sim/mortal_ports.hpp"
#include "support/sim/trace.hpp"

namespace spillway::sim {

enum class Situation : std::uint8_t {
  direct_to_spilling,
  direct_to_recalling,
  recalling_to_spilling,
  spilling_to_direct,
  spilling_to_returning,
  spilling_to_recalling,
  returning_to_direct,
  returning_to_spilling,  ///< A return is cancelled; older rows are still in the outbox.
  held_rows_released,
  held_then_fatal,
  owner_dead_held_rows_adopted,
  owner_back_after_adoption,
  kafka_fault_while_recalling,
  kafka_fault_while_spilling,
  kafka_fault_while_returning,
  postgres_fault_while_recalling,
  postgres_fault_while_spilling,
  postgres_fault_while_returning,
  redis_fault_while_recalling,
  redis_fault_while_spilling,
  redis_fault_while_returning,
  all_servers_down,
  late_append_before_relays_copy,
  late_append_after_relays_copy,
  late_append_after_return,
  repeat_filtered,
  batch_of_one_row,
  batch_full,
  dead_letter_by_lane,
  dead_letter_by_relay,
  lease_moved,
  stale_relays_rows_landed,
  crash_in_publish_claimed,
  crash_in_publish_accepted,
  crash_after_publish,
  crash_between_steps,
  crash_in_recovery,
  relay_crash,
  half_written_record_discarded,
  journal_full,
  journal_free_again,
  publisher_preempted,
  lanes_changed,
  lanes_waited_for_old_streams,
  record_renumbered,
  marked_fatal,
  marked_recovery,
  marked_lease,
  rows_found_without_token,
  refusal_unheard,
};
inline constexpr std::size_t situation_count = 50;

[[nodiscard]] const char* name_of(Situation situation) noexcept;

/// Counted over many runs.
class Sometimes {
 public:
  void count(Situation situation) noexcept { ++situations_[static_cast<std::size_t>(situation)]; }
  void count_crash(PortCall call) noexcept { ++crashes_[static_cast<std::size_t>(call)]; }
  /// What the servers of a world have counted.
  void add(const Trace& trace) noexcept;

  void print(std::ostream& out) const;
  /// How many were never met; their names go to `out`.
  std::size_t print_missing(std::ostream& out) const;

 private:
  template <class Visit>
  void visit(Visit visit) const;

  std::array<std::uint64_t, situation_count> situations_{};
  std::array<std::uint64_t, port_call_count> crashes_{};
  std::array<std::uint64_t, happening_count> happenings_{};
};

}  // namespace spillway::sim
