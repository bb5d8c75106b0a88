// tools/verify/run_audit.cpp: one audit from its sources to its result, and the accept counts'
// file.

#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "verify/accept_log_files.hpp"
#include "verify/sources.hpp"

namespace spillway::verify {

std::vector<std::uint64_t> read_accept_counts(const std::string& path) {
  const std::ifstream file{path, std::ios::binary};
  if (!file) throw SourceError{path + ": cannot be read"};
  std::ostringstream whole;
  whole << file.rdbuf();
  const std::string bytes = std::move(whole).str();
  if (bytes.empty() || bytes.size() % sizeof(std::uint64_t) != 0) {
    throw SourceError{path + ": " + std::to_string(bytes.size()) +
                      " bytes are no accept counts, which have 8 for each publisher"};
  }
  std::vector<std::uint64_t> counts(bytes.size() / sizeof(std::uint64_t));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint64_t byte = static_cast<unsigned char>(bytes[i]);
    counts[i / sizeof(std::uint64_t)] |= byte << (8 * (i % sizeof(std::uint64_t)));
  }
  return counts;
}

AuditResult run_audit(const AuditRequest& request, const Progress& progress) {
  // Kafka is asked first whether it is there at all, and read last: see audit.hpp.
  TopicSource topic{request.kafka, request.scope.topic};
  std::optional<AcceptLogFiles> files;
  AuditScope scope = request.scope;
  if (!request.accept_logs.empty()) {
    files.emplace(request.accept_logs);
    scope.partitions_by_key = {topic.partitions()};
    if (!scope.run) scope.run = files->logs().front().run;
  }
  Audit audit{std::move(scope)};
  if (files) {
    for (const AcceptLog& log : files->logs())
      audit.expect(log);
  }
  if (!request.accepted_file.empty()) {
    audit.expect_accepted(read_accept_counts(request.accepted_file));
  }
  read_outbox(
      request.postgres, request.scope.topic,
      [&](const StoredRecord& stored, const RecordReader& record) {
        audit.add_row(stored, record);
      },
      [&](const StoredRecord& stored, const RecordReader& record) {
        audit.add_dead_letter(stored, record);
      });
  topic.fix_ends();
  topic.read([&](Place place, const RecordReader& record) { audit.add_message(place, record); },
             progress);
  if (!request.accepted_file.empty()) {
    audit.expect_at_most(read_accept_counts(request.accepted_file));
  }
  if (topic.has_lost_its_beginning()) {
    audit.doubt("retention has removed the oldest messages of " + request.scope.topic);
  }
  return audit.finish();
}

}  // namespace spillway::verify
