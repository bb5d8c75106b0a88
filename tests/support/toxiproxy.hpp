// tests/support/toxiproxy.hpp: faults of the network between Spillway and one server.
//
// tools/stack start toxiproxy runs it; SPILLWAY_STACK_TOXIPROXY names its HTTP interface. A fault
// ends by mend(), and with the test.

#pragma once

#include <cstdint>
#include <string>

#include "support/stack.hpp"

namespace spillway::test {

/// The proxy in front of one server. Every call throws std::runtime_error when toxiproxy refuses.
class Link {
 public:
  explicit Link(Server to);

  /// Closes all connections and refuses new ones.
  void cut() const;
  /// Adds `ms` to each answer, and to each request.
  void delay(std::uint32_t ms) const;
  /// Kilobytes a second, each way.
  void narrow(std::uint32_t kilobytes_per_second) const;
  /// Resets each connection, new ones too, `ms` after its first byte.
  void reset_after(std::uint32_t ms) const;
  /// Closes each connection, new ones too, after so many bytes of requests: in the middle of one.
  void close_after_bytes(std::uint64_t bytes) const;
  /// Nothing passes, and connections stay open: a black hole.
  void swallow() const;
  /// Requests pass and answers do not: half-open.
  void swallow_answers() const;
  /// As it was before any of these.
  void mend() const;

 private:
  void add(const std::string& type, const std::string& attributes, const std::string& stream) const;

  std::string name_;
};

/// Where clients connect through the proxies. @throws std::runtime_error unless toxiproxy runs
[[nodiscard]] std::string proxied_kafka();
[[nodiscard]] std::string proxied_postgres_port();
[[nodiscard]] std::string proxied_redis();

}  // namespace spillway::test
