// tests/support/sim/sim_kafka.hpp: Kafka's side: topics, their logs, and the requests on their way.
//
// It checks the sequences of idempotent producers as a broker does: what it has already is not
// appended again, and what would leave a gap is not appended at all. So what arrives late is always
// a prefix of what was sent (client-facts.md 1.4).

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "support/sim/fault_plan.hpp"
#include "support/sim/trace.hpp"

namespace spillway::sim {

enum class ServerState : std::uint8_t {
  up,
  hung,  ///< Connections stay open, nothing moves.
  down,
};

using ByteString = std::vector<std::byte>;

struct LogHeader {
  std::string name;
  std::optional<ByteString> value;
  friend bool operator==(const LogHeader&, const LogHeader&) = default;
};

/// A record as a consumer meets it.
struct LogRecord {
  std::optional<ByteString> key;
  std::optional<ByteString> payload;
  std::vector<LogHeader> headers;  ///< The user's, then Spillway's.
  std::optional<std::int64_t> event_time_ms;
  // What the headers say, for tests that do not want to parse.
  core::StreamId stream;
  core::Seq seq;
  core::ResendCause resend = core::ResendCause::none;
  core::Seq renumbered_from;
  bool relayed = false;

  Instant appended_at;

  [[nodiscard]] std::size_t bytes() const noexcept;
};

struct TopicSettings {
  std::uint32_t partitions = 1;
  std::size_t message_bytes_max = 1'048'588;
  bool writable = true;  ///< False: TOPIC_AUTHORIZATION_FAILED.
};

enum class LeaderState : std::uint8_t {
  leads,
  missing,  ///< Requests are answered with "try again".
  stuck,    ///< Requests stay unanswered: half of the cluster is dead.
};

struct SimTopic {
  TopicSettings settings;
  std::vector<std::vector<LogRecord>> partitions;
  std::vector<LeaderState> leaders;
};

struct ProducerId {
  std::uint64_t value = 0;
};
struct RequestId {
  std::uint64_t value = 0;
};

/// One ProduceRequest: a run of records for one partition.
struct ProduceRequest {
  ProducerId producer;
  std::string topic;
  std::uint32_t partition = 0;
  std::uint64_t first_sequence = 0;
  std::vector<LogRecord> records;
};

enum class AnswerKind : std::uint8_t {
  appended,       ///< Or there already.
  refused,        ///< For good, each record for itself.
  refused_batch,  ///< For good, and no word about which record is at fault, even of one alone.
  out_of_order,   ///< A gap in the sequence: nothing was appended. To be sent again.
  no_leader,      ///< Nothing was appended. To be sent again.
};

struct Answer {
  AnswerKind kind = AnswerKind::appended;
  int error_code = 0;
  const char* error = "";
};

/// Refused for good, by content: every sender meets it.
[[nodiscard]] bool is_poison(const std::optional<ByteString>& payload,
                             const FaultPlan& plan) noexcept;

class SimKafka {
 public:
  SimKafka(const FaultPlan& plan, Trace& trace);

  // ---- The cluster
  // -------------------------------------------------------------------------------
  void create_topic(const std::string& name, const TopicSettings& settings = {});
  void delete_topic(const std::string& name);
  /// Lowers or raises limits and rights of a topic that exists.
  void change_topic(const std::string& name, const TopicSettings& settings);
  [[nodiscard]] const SimTopic* topic(std::string_view name) const noexcept;
  void set_leader(const std::string& topic, std::uint32_t partition, LeaderState state);
  /// Down drops every request that has not arrived.
  void set_state(ServerState state, Instant now);
  [[nodiscard]] ServerState state() const noexcept { return state_; }
  [[nodiscard]] Instant state_since() const noexcept { return state_since_; }
  /// Grows each time the server dies: a connection belongs to one.
  [[nodiscard]] std::uint64_t incarnation() const noexcept { return incarnation_; }
  void refuse_connections(bool refuse) noexcept { refuses_ = refuse; }
  [[nodiscard]] bool refuses_connections() const noexcept { return refuses_; }

  // ---- The network: for SimBroker
  // ----------------------------------------------------------------
  [[nodiscard]] ProducerId new_producer() noexcept { return ProducerId{++last_producer_}; }
  /// Arrives at `due`, if the server is up then.
  [[nodiscard]] RequestId send(ProduceRequest request, Instant due);
  /// The answer, once the request has arrived; it is asked for once.
  [[nodiscard]] std::optional<Answer> take_answer(RequestId id);
  /// Nobody waits for the answer any more: the request has a fate of its own.
  void abandon(RequestId id, Decisions& decisions, Instant now);
  void advance(Instant now);
  [[nodiscard]] std::optional<Instant> next_event() const noexcept;

  // ---- Reading
  // -----------------------------------------------------------------------------------
  /// Every record of a topic, partition after partition.
  [[nodiscard]] std::vector<LogRecord> records(std::string_view topic) const;
  [[nodiscard]] std::size_t record_count(std::string_view topic) const noexcept;

 private:
  struct InNetwork {
    ProduceRequest request;
    Instant due;
    bool is_abandoned = false;
    std::optional<Answer> answer = std::nullopt;
  };
  struct SequenceKey {
    std::uint64_t producer = 0;
    std::string topic;
    std::uint32_t partition = 0;
    friend auto operator<=>(const SequenceKey&, const SequenceKey&) = default;
  };

  struct Sequences {
    std::uint64_t next = 0;
    std::map<std::uint64_t, Answer> refused;  ///< By their first sequence.
  };

  [[nodiscard]] Answer arrive(ProduceRequest& request, Instant now);
  [[nodiscard]] LeaderState leader_of(const ProduceRequest& request) const noexcept;
  void note_refusal(const ProduceRequest& request, Instant now);
  [[nodiscard]] std::optional<Answer> refusal_of(const ProduceRequest& request) const noexcept;

  const FaultPlan& plan_;
  Trace& trace_;
  ServerState state_ = ServerState::up;
  Instant state_since_;
  std::uint64_t incarnation_ = 0;
  bool refuses_ = false;
  std::uint64_t last_producer_ = 0;
  std::uint64_t last_request_ = 0;
  std::map<std::string, SimTopic, std::less<>> topics_;
  std::map<std::uint64_t, InNetwork> network_;
  std::map<SequenceKey, Sequences> sequences_;
};

}  // namespace spillway::sim
