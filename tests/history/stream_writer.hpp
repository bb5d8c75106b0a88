// tests/history/stream_writer.hpp: what becomes of one stream's records, by the rules.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "history/random.hpp"
#include "verify/history.hpp"

namespace spillway::history {

/// What a publisher handed over, and was accepted or is unknown.
struct Published {
  std::string topic;
  verify::RecordName name;
  verify::RawRecord record;
  std::uint64_t stamp_ns = 0;
  std::uint64_t known_ns = 0;  ///< No lane can have it before.
};

/// An append to Kafka; offsets are given when all are known.
struct Append {
  std::uint64_t at_ns = 0;
  std::string topic;
  verify::RawRecord record;  ///< With Spillway's headers.
};

/// How a life of the stream ends.
enum class Ending : std::uint8_t {
  quiet,    ///< Everything settled, the outbox empty.
  killed,   ///< Some records were with librdkafka.
  waiting,  ///< Settled, and rows wait in the outbox: nobody forwards them any more.
  holding,  ///< Kafka is away, and rows are held.
};

class StreamWriter {
 public:
  StreamWriter(verify::History& history, std::vector<Append>& appends, Random& random,
               std::uint64_t instance, std::uint16_t lane)
      : history_{history}, appends_{appends}, random_{random}, instance_{instance}, lane_{lane} {}

  /// Numbers and sends the records of one life, in the order of their stamps. Answers when it
  /// ended.
  std::uint64_t live(std::uint64_t opened_ns, const std::vector<Published>& published,
                     Ending ending);
  /// No further life: what a kill left stays in the journal.
  void bury();

 private:
  struct Numbered {
    Published published;
    std::uint64_t seq = 0;
    std::uint64_t renumbered_from = 0;
    verify::Mark mark = verify::Mark::none;
    bool held = false;
    bool appended_late = false;
  };

  void pass(std::uint64_t ns_max = 900) { now_ns_ += random_.between(1, ns_max); }
  [[nodiscard]] Numbered number(const Published& published);
  [[nodiscard]] std::vector<Numbered> take(std::uint64_t count_max);
  void change(std::optional<verify::LaneState> from, verify::LaneState to);
  void append(const Numbered& record, bool relayed);
  void append_later(const Numbered& record);
  void report(const Numbered& record, verify::Outcome outcome);
  [[nodiscard]] verify::StoredCopy stored(const Numbered& record) const;
  [[nodiscard]] verify::SeqRange range(const Numbered& first, const Numbered& last) const;

  void recover();
  void direct_run();
  void outage();
  void fatal_outage();
  void send_direct(const Numbered& record);
  void hold();
  void release();
  void refuse_batch();
  void spill_some();
  void commit(std::vector<Numbered> rows);
  void acked(const Numbered& record, bool refused);
  void kill_letters(const Numbered& record, bool by_relay);
  void relay(bool all);
  void relay_batch(std::uint32_t relay, std::size_t rows);
  void move_lease(std::uint32_t& relay, std::size_t rows, std::uint64_t& lease_from_ns);
  void return_to_direct(std::uint64_t healed_ns, std::size_t backlog);
  [[nodiscard]] verify::OutboxLog& log() { return *history_.outbox_log; }

  verify::History& history_;
  std::vector<Append>& appends_;
  Random& random_;
  std::uint64_t instance_;
  std::uint16_t lane_;

  std::uint64_t now_ns_ = 0;
  std::uint64_t last_seq_ = 0;
  verify::LaneState state_ = verify::LaneState::direct;
  const std::vector<Published>* published_ = nullptr;
  std::size_t next_ = 0;
  std::size_t end_ = 0;
  std::vector<Numbered> held_;
  std::vector<Numbered> rows_;       // in the outbox, to be relayed
  std::vector<Numbered> in_flight_;  // with librdkafka when the process was killed
};

}  // namespace spillway::history
