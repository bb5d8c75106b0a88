// tools/verify/accepts.hpp: what publishers know: each call of publish(), when and with what
// answer.
//
// "Begun" is written before the call and the answer after it, so after a kill -9 the last call of a
// publisher may be without one: nobody can say whether it was accepted.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "verify/decode.hpp"

namespace spillway::verify {

enum class Answer : std::uint8_t { none, accepted, rejected };

/// One call. As it lies in a file: 32 bytes, little-endian.
struct Accept {
  std::uint64_t begin_ns = 0;  ///< CLOCK_MONOTONIC, before the call.
  std::uint64_t return_ns = 0;
  std::uint64_t content = 0;  ///< content_of() what was handed over.
  std::uint64_t answer = 0;   ///< An Answer.

  [[nodiscard]] bool has(Answer wanted) const noexcept {
    return answer == static_cast<std::uint64_t>(wanted);
  }
};
static_assert(sizeof(Accept) == 32 && std::has_unique_object_representations_v<Accept>);

/// All calls of one publisher; its n-th is the n-th of `calls`.
struct AcceptLog {
  std::uint64_t run = 0;
  std::uint32_t publisher = 0;
  std::uint64_t begun = 0;  ///< How many it began, as its own counter says.
  std::span<const Accept> calls;
};

/// What a record is to who publishes it and who consumes it: topic, key, payload, and the service's
/// headers in their order. Never 0.
[[nodiscard]] std::uint64_t content_of(std::string_view topic, const RecordReader& record) noexcept;

}  // namespace spillway::verify
