#include "perf/common/toxiproxy.hpp"

#include <cstdlib>

#include <httplib.h>

#include "tools/spillway/command.hpp"

namespace spillway::perf {
namespace {

using program::CommandError;
using program::ExitCode;

std::string variable(const char* name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here changes the environment.
  if (const char* const value = std::getenv(name)) return value;
  throw CommandError{
      ExitCode::unusable,
      std::string{name} + " is not set: tools/stack start toxiproxy; eval \"$(tools/stack env)\""};
}

}  // namespace

std::string proxied_kafka() {
  return variable("SPILLWAY_STACK_PROXIED_KAFKA");
}

void let_kafka_through(bool open) {
  const std::string scheme = "http";
  httplib::Client toxiproxy{scheme + "://" + variable("SPILLWAY_STACK_TOXIPROXY")};
  const std::string wish = open ? R"({"enabled": true})" : R"({"enabled": false})";
  const httplib::Result answer = toxiproxy.Post("/proxies/kafka", wish, "application/json");
  if (answer && answer->status < 300) return;
  throw CommandError{ExitCode::unusable,
                     "toxiproxy: " + (answer ? answer->body : httplib::to_string(answer.error()))};
}

}  // namespace spillway::perf
