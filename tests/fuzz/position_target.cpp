// The whole input as a header's text, as a header block, and as a position to be written.

#include <optional>
#include <string>
#include <string_view>

#include "core/header_block.hpp"
#include "core/position.hpp"
#include "fuzz/input_reader.hpp"
#include "fuzz/target.hpp"
#include "spillway/dedup_filter.hpp"
#include "verify/decode.hpp"

namespace spillway::fuzz {
namespace {

void read_text(std::string_view text) {
  const auto ours = core::parse_position(text);
  const auto theirs = verify::parse_position(text);
  const auto consumers = Position::parse(text);
  expect(ours.has_value() == theirs.has_value() && ours.has_value() == consumers.has_value(),
         "all decoders take the same texts");
  if (!ours) return;
  expect(ours->stream.instance.value == theirs->instance &&
             ours->stream.lane.value == theirs->lane && ours->seq.value == theirs->seq,
         "both decoders read the same position");
  expect(consumers->instance == theirs->instance && consumers->lane == theirs->lane &&
             consumers->seq == theirs->seq,
         "a consumer reads the same position");
  core::PositionText out;
  expect(core::format_position(ours->stream, ours->seq, out) == text, "one position has one text");
}

void write_and_read(Input input) {
  InputReader reader{input};
  const core::StreamId stream{.instance = {reader.number<std::uint64_t>()},
                              .lane = {reader.number<std::uint16_t>()}};
  const core::Seq seq{reader.number<std::uint64_t>()};
  core::PositionText out;
  const std::string text{core::format_position(stream, seq, out)};
  const auto back = core::parse_position(text);
  expect(back.has_value() == (seq.value != 0), "every position but that of no record can be read");
  if (back) expect(back->stream == stream && back->seq == seq, "what was written is read");
  read_text(text);
}

void read_block(Input input) {
  core::HeaderReader reader{input};
  while (reader.next()) {
  }
  verify::RecordReader auditor{std::nullopt, std::nullopt};
  const bool taken = auditor.take_header_block(input);
  expect(!reader.is_well_formed() || taken, "the auditor reads every block that is well formed");
  expect(reader.is_well_formed() == core::count_headers(input).has_value(),
         "a block is well formed or not");
}

}  // namespace

void read_position(Input input) {
  // Bytes may be looked at as characters.
  read_text({reinterpret_cast<const char*>(input.data()), input.size()});
  write_and_read(input);
  read_block(input);
}

}  // namespace spillway::fuzz
