// tests/fuzz/target.hpp: plain functions over bytes, whoever makes the bytes.
//
// A target returns whatever it is given, or ends the process: a broken promise, a check of
// production's or a sanitizer's finding. libFuzzer drives them (libfuzzer.cpp), and so does a
// mutator that needs no special compiler (fuzz_test.cpp).

#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace spillway::fuzz {

using Input = std::span<const std::byte>;

/// Error texts name key and line, an unknown key is refused, and no secret is echoed.
void read_config(Input input);
/// Both decoders of the position header, and both readers of a header block, say the same.
void read_position(Input input);
/// A journal of hostile bytes: refused and left as it is, or read within its bounds, twice the
/// same.
void recover_journal(Input input);
/// Rows of the outbox with cells of any length.
void read_rows(Input input);
/// What COPY is given is what it was made of.
void encode_copy(Input input);
/// Redis answers anything: a bounded number of tokens, or another connection.
void hear_redis(Input input);
/// A topic, an outbox and dead letters that say anything: a verdict in bounded memory.
void audit_topic(Input input);

struct Target {
  const char* name;
  void (*run)(Input);
};
inline constexpr std::array targets{
    Target{"config", read_config},       Target{"position", read_position},
    Target{"recovery", recover_journal}, Target{"rows", read_rows},
    Target{"copy", encode_copy},         Target{"redis", hear_redis},
    Target{"audit", audit_topic},
};

/// Ends the process unless `holds`.
void expect(bool holds, const char* promise);

}  // namespace spillway::fuzz
