// tools/verify/sources.hpp: where an audit's input comes from: Kafka, Postgres, the accept counts.
//
// Each reads once and throws SourceError when it cannot: half an input is no input.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "verify/audit.hpp"

namespace spillway::verify {

/// A server or a file cannot be read; what() says which, why, and what to do.
class SourceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct KafkaAddress {
  std::string bootstrap_servers;
  std::map<std::string, std::string> properties;  ///< librdkafka's, for security above all.
  std::chrono::milliseconds answer_within = std::chrono::seconds{10};
  /// While a topic is read: no message for so long, and Kafka is taken to be away.
  std::chrono::milliseconds silent_at_most = std::chrono::seconds{30};
};

/// Told what has been read of how much.
using Progress = std::function<void(std::uint64_t done, std::uint64_t all)>;

/// One topic, from its beginning to where it ended when fix_ends() was called.
class TopicSource {
 public:
  /// @blocks up to `answer_within` @throws SourceError: Kafka is away, or has no such topic
  TopicSource(const KafkaAddress& address, std::string topic);
  TopicSource(const TopicSource&) = delete;
  TopicSource& operator=(const TopicSource&) = delete;
  ~TopicSource();

  /// After the outbox was read: see audit.hpp.
  void fix_ends();

  /// Visits the messages, of each partition in offset order.
  void read(const std::function<void(Place, const RecordReader&)>& visit, const Progress& progress);

  /// Retention has removed the oldest messages, so nobody can say that something was never there.
  [[nodiscard]] bool has_lost_its_beginning() const noexcept;
  [[nodiscard]] std::uint32_t partitions() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct PostgresAddress {
  std::string conninfo;
  std::string password;  ///< Empty: what `conninfo` says.
  std::chrono::seconds connect_within{5};
};

using VisitStored = std::function<void(const StoredRecord&, const RecordReader&)>;

/// The topic's rows and dead letters, both of one snapshot.
/// @throws SourceError
void read_outbox(const PostgresAddress& address, const std::string& topic, const VisitStored& row,
                 const VisitStored& dead_letter);

/// `spillway load --accepted FILE`: a little-endian u64 for each publisher.
/// @throws SourceError
[[nodiscard]] std::vector<std::uint64_t> read_accept_counts(const std::string& path);

struct AuditRequest {
  KafkaAddress kafka;
  PostgresAddress postgres;
  AuditScope scope;
  std::string accepted_file;  ///< Empty: none.
  /// Directory of accept logs; with it everything is judged that the topic can tell. Empty: none.
  std::string accept_logs;
};

/// Reads everything, in the order that audit.hpp asks for.
/// @throws SourceError
[[nodiscard]] AuditResult run_audit(const AuditRequest& request, const Progress& progress);

}  // namespace spillway::verify
