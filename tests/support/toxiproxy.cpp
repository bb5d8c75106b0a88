#include "support/toxiproxy.hpp"

#include <cstdlib>
#include <stdexcept>

#include <httplib.h>

namespace spillway::test {
namespace {

std::string variable(const char* name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no test changes its environment.
  const char* const value = std::getenv(name);
  if (value == nullptr) {
    throw std::runtime_error{
        std::string{name} +
        " is not set: tools/stack start toxiproxy; eval \"$(tools/stack env)\""};
  }
  return value;
}

void require(const httplib::Result& result, const std::string& what) {
  if (!result) throw std::runtime_error{what + ": " + httplib::to_string(result.error())};
  if (result->status >= 300) throw std::runtime_error{what + ": " + result->body};
}

httplib::Client client() {
  return httplib::Client{"http://" + variable("SPILLWAY_STACK_TOXIPROXY")};
}

void post(const std::string& path, const std::string& json) {
  require(client().Post(path, json, "application/json"), "toxiproxy " + path + " " + json);
}

}  // namespace

Link::Link(Server to) : name_{name_of(to)} {}

void Link::cut() const {
  post("/proxies/" + name_, R"({"enabled": false})");
}

void Link::delay(std::uint32_t ms) const {
  const std::string attributes = R"({"latency": )" + std::to_string(ms) + "}";
  add("latency", attributes, "downstream");
  add("latency", attributes, "upstream");
}

void Link::narrow(std::uint32_t kilobytes_per_second) const {
  const std::string attributes = R"({"rate": )" + std::to_string(kilobytes_per_second) + "}";
  add("bandwidth", attributes, "downstream");
  add("bandwidth", attributes, "upstream");
}

void Link::reset_after(std::uint32_t ms) const {
  add("reset_peer", R"({"timeout": )" + std::to_string(ms) + "}", "downstream");
}

void Link::close_after_bytes(std::uint64_t bytes) const {
  add("limit_data", R"({"bytes": )" + std::to_string(bytes) + "}", "upstream");
}

void Link::swallow() const {
  add("timeout", R"({"timeout": 0})", "downstream");
  add("timeout", R"({"timeout": 0})", "upstream");
}

void Link::swallow_answers() const {
  add("timeout", R"({"timeout": 0})", "downstream");
}

void Link::mend() const {
  const std::string path = "/proxies/" + name_;
  httplib::Client toxiproxy = client();
  for (const char* stream : {"downstream", "upstream"}) {
    for (const char* type : {"latency", "bandwidth", "reset_peer", "limit_data", "timeout"}) {
      // What is not there cannot be removed: no error of a test's.
      static_cast<void>(toxiproxy.Delete(path + "/toxics/" + type + "_" + stream));
    }
  }
  post(path, R"({"enabled": true})");
}

void Link::add(const std::string& type, const std::string& attributes,
               const std::string& stream) const {
  post("/proxies/" + name_ + "/toxics", R"({"name": ")" + type + "_" + stream + R"(", "type": ")" +
                                            type + R"(", "stream": ")" + stream +
                                            R"(", "attributes": )" + attributes + "}");
}

std::string proxied_kafka() {
  return variable("SPILLWAY_STACK_PROXIED_KAFKA");
}

std::string proxied_postgres_port() {
  return variable("SPILLWAY_STACK_PROXIED_POSTGRES_PORT");
}

std::string proxied_redis() {
  return variable("SPILLWAY_STACK_PROXIED_REDIS");
}

}  // namespace spillway::test
