// tests/crash/campaign.hpp: services killed again and again, and what they leave judged.
//
// One run is one journal: up to five lives, each killed, one that drains, and the judgement. A life
// is killed at a moment, or so many instructions behind a named point: the child stops itself
// there, and its parent steps it on from outside (ptrace), so nothing of production knows of it.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "crash/dice.hpp"
#include "crash/judge.hpp"
#include "crash/ledger.hpp"
#include "crash/life.hpp"
#include "support/temporary_directory.hpp"

namespace spillway::crash {

class Campaign {
 public:
  explicit Campaign(std::uint64_t seed) noexcept : seed_{seed} {}

  /// One more run. False when it showed a violation.
  bool run();
  /// One run with a kill at each of so many instructions from the beginning of a publish() into a
  /// segment that is used again. False when it showed a violation.
  bool walk_a_publish(std::uint64_t instructions);

  [[nodiscard]] std::uint64_t kills() const noexcept { return kills_; }
  [[nodiscard]] std::uint64_t kills_behind(Point point) const noexcept {
    return kills_behind_[static_cast<std::size_t>(point)];
  }
  [[nodiscard]] std::uint64_t kills_at_a_moment() const noexcept { return kills_at_a_moment_; }
  [[nodiscard]] std::uint64_t records() const noexcept { return records_; }
  /// What was found, a line each.
  [[nodiscard]] const std::vector<std::string>& findings() const noexcept { return findings_; }

 private:
  /// The order of all its lives.
  [[nodiscard]] LifeOrder begin_run(const test::TemporaryDirectory& directory, Work work,
                                    std::size_t payload_bytes_max);
  void end_run(const test::TemporaryDirectory& directory, const LifeOrder& order);
  void kill_one_life(LifeOrder order, Dice& dice);
  void kill_behind_a_point(LifeOrder order, Dice& dice);
  void kill_behind(const LifeOrder& order, std::uint64_t instructions);
  void kill_at_a_moment(const LifeOrder& order, Dice& dice);
  [[nodiscard]] int fork_life(const LifeOrder& order, bool traced);
  void expect_killed(int pid, int status);
  void note_unknown();
  void expect_same_recovery_twice(const std::string& journal);
  void expect_drained(LifeOrder order);
  void find(const std::string& what);

  std::uint64_t seed_;
  std::uint64_t runs_ = 0;
  SharedLedger ledger_;
  Accepts accepts_;
  std::uint64_t kills_ = 0;
  std::uint64_t kills_at_a_moment_ = 0;
  std::array<std::uint64_t, points> kills_behind_{};
  std::uint64_t records_ = 0;
  std::vector<std::string> findings_;
};

}  // namespace spillway::crash
