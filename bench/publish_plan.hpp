// bench/publish_plan.hpp: what is published in one run of publish_bench, how often, by how many.

#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "spillway/envelope.hpp"

namespace spillway::bench {

// Of one run, all publishers together; the journal has that much room when it begins.
inline constexpr std::size_t run_bytes_max = std::size_t{64} << 20;
inline constexpr std::size_t calls_max = 100'000;
inline constexpr std::size_t record_bytes = 96;  // beyond payload and headers: header, key, padding
inline constexpr std::size_t header_bytes = 32;  // with its lengths
inline constexpr std::size_t publishers_max = 8;
inline constexpr std::size_t headers_max = 8;

struct Plan {
  std::string name;
  std::size_t group = 64;             ///< Calls between two readings of the counter.
  std::chrono::nanoseconds every{0};  ///< The intended distance of two calls; 0: free running.
  std::size_t payload_bytes = 200;
  std::size_t headers = 0;
  std::size_t publishers = 1;

  /// Readings of each publisher.
  [[nodiscard]] std::size_t readings() const noexcept {
    const std::size_t each = record_bytes + payload_bytes + headers * header_bytes;
    const std::size_t calls =
        std::min(every.count() == 0 ? calls_max : calls_max / 4, run_bytes_max / each / publishers);
    return std::max<std::size_t>(1, calls / group);
  }
};

/// What is published: the same for all clients.
struct Content {
  explicit Content(const Plan& plan)
      : payload(plan.payload_bytes, std::byte{'x'}), headers{headers_of(plan.headers)} {}

  [[nodiscard]] static std::string_view key(std::size_t call) noexcept {
    static constexpr std::array<std::string_view, 4> keys{"customer-0000001", "customer-0000002",
                                                          "customer-0000003", "customer-0000004"};
    return keys[call % keys.size()];
  }

  std::vector<std::byte> payload;
  std::vector<Header> headers;

 private:
  static std::vector<Header> headers_of(std::size_t count) {
    static constexpr std::array<const char*, headers_max> names{
        "trace-id", "span-id", "source", "version", "tenant", "schema", "kind", "attempt"};
    std::vector<Header> made;
    for (std::size_t i = 0; i < count; ++i)
      made.push_back({.name = names[i], .value = bytes_of("0123456789abcdef")});
    return made;
  }
};

}  // namespace spillway::bench
