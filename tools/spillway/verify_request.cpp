#include "verify_request.hpp"

#include <fstream>

#include "command.hpp"
#include "terminal.hpp"
#include "text.hpp"

namespace spillway::program {
namespace {

std::string password_in(const std::string& path) {
  std::ifstream file{path};
  std::string password;
  if (!file || !std::getline(file, password)) {
    throw CommandError{ExitCode::unusable, path + ": no password can be read there"};
  }
  return password;
}

}  // namespace

verify::AuditRequest verify_request(const Config& config, const std::string& topic) {
  verify::AuditRequest request;
  request.kafka.bootstrap_servers = config.kafka.bootstrap_servers;
  request.kafka.properties = config.kafka.properties;
  request.postgres.conninfo = config.postgres.conninfo;
  if (!config.postgres.password_file.empty()) {
    request.postgres.password = password_in(config.postgres.password_file);
  }
  request.scope.topic = topic;
  return request;
}

verify::AuditResult verify_with_progress(const verify::AuditRequest& request) {
  StatusLine status;
  try {
    return verify::run_audit(request, [&](std::uint64_t done, std::uint64_t all) {
      const std::uint64_t percent = all == 0 ? 100 : done * 100 / all;
      status.show("verify: " + grouped(done) + " of " + grouped(all) + " messages, " +
                  std::to_string(percent) + " %");
    });
  } catch (const verify::SourceError& error) {
    throw CommandError{ExitCode::unusable, error.what()};
  }
}

}  // namespace spillway::program
