// tests/crash/ledger.hpp: what outlives a killed service besides its journal: its accept log, and
// what Kafka was given.
//
// In memory that parent and child share. A count is stored behind what it counts, so a kill between
// the two leaves a record that was begun and whose fate is unknown.

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace spillway::crash {

inline constexpr std::size_t publishers = 2;
inline constexpr std::size_t lanes = 2;
inline constexpr std::size_t sent_max = std::size_t{1} << 18;

/// A record by what its payload says: whose it is, and which of theirs, from 1.
struct RecordName {
  std::uint32_t publisher = 0;
  std::uint64_t number = 0;
  friend constexpr auto operator<=>(const RecordName&, const RecordName&) noexcept = default;
};

/// A record as Kafka was given it.
struct Sent {
  RecordName name;
  std::uint64_t order = 0;  ///< Of its publish() among all publishers'.
  std::uint64_t seq = 0;
  std::uint16_t lane = 0;
  bool marked = false;  ///< As a copy that may be a second one.
  bool intact = false;  ///< Every byte is what was published.
};

/// Where the child may be stopped; see life.cpp.
enum class Point : std::uint8_t {
  open,     ///< The journal is about to be opened, or made.
  recover,  ///< ... its records found.
  adopt,    ///< ... what was found given its numbers.
  publish,  ///< A record is about to be published,
  recycle,  ///< ... into a segment yet to be taken.
  step,     ///< The lanes are about to number, send and settle.
  submit,   ///< Kafka has a record, its lane does not know yet.
  report,   ///< Kafka has told of some, their lane has not heard yet.
};
inline constexpr std::array point_names{"open",    "recover", "adopt",  "publish",
                                        "recycle", "step",    "submit", "report"};
inline constexpr std::size_t points = point_names.size();

struct AcceptLog {
  std::atomic<std::uint64_t> begun{0};     ///< The number of the last publish() that was begun.
  std::atomic<std::uint64_t> accepted{0};  ///< ... and of the last that returned accepted.
};

struct Ledger {
  std::array<AcceptLog, publishers> publisher;
  std::atomic<std::uint64_t> order{0};
  std::atomic<std::uint64_t> sent_count{0};
  std::array<Sent, sent_max> sent;

  [[nodiscard]] std::span<const Sent> all_sent() const noexcept {
    return std::span{sent}.first(sent_count.load());
  }
};

/// A ledger that forked children write too.
class SharedLedger {
 public:
  SharedLedger();
  SharedLedger(const SharedLedger&) = delete;
  SharedLedger& operator=(const SharedLedger&) = delete;
  ~SharedLedger();

  /// For the next run.
  void clear() noexcept;

  Ledger& operator*() const noexcept { return *ledger_; }
  Ledger* operator->() const noexcept { return ledger_; }

 private:
  Ledger* ledger_;
};

}  // namespace spillway::crash
