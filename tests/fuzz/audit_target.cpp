// Rows, dead letters and messages, one after the other: what it is, where, and what it holds.

#include <optional>
#include <vector>

#include "fuzz/input_reader.hpp"
#include "fuzz/target.hpp"
#include "verify/audit.hpp"
#include "verify/decode.hpp"

namespace spillway::fuzz {
namespace {

constexpr std::size_t memory_bytes_max = std::size_t{16} << 20;

verify::RecordReader record_of(InputReader& reader) {
  const auto key = reader.maybe_piece();
  const auto payload = reader.maybe_piece();
  verify::RecordReader record{key, payload};
  static_cast<void>(record.take_header_block(reader.piece()));
  return record;
}

verify::StoredRecord stored_of(InputReader& reader) {
  verify::StoredRecord stored;
  stored.position = {.instance = reader.number<std::uint8_t>(),
                     .lane = reader.number<std::uint16_t>(),
                     .seq = reader.number<std::uint64_t>()};
  const auto flags = reader.number<std::uint8_t>();
  stored.held = (flags & 1U) != 0;
  stored.marked = (flags & 2U) != 0;
  if ((flags & 4U) != 0) stored.renumbered_from = reader.number<std::uint64_t>();
  return stored;
}

}  // namespace

void audit_topic(Input input) {
  InputReader reader{input};
  verify::AuditScope scope;
  scope.topic = "orders";
  scope.memory_bytes_max = memory_bytes_max;
  const auto flags = reader.number<std::uint8_t>();
  if ((flags & 1U) != 0) scope.run = reader.number<std::uint8_t>();
  verify::Audit audit{scope};
  if ((flags & 2U) != 0) audit.expect_accepted({reader.number<std::uint16_t>()});
  std::uint64_t messages = 0;
  while (!reader.at_end()) {
    const auto what = reader.number<std::uint8_t>();
    if (what % 4 == 0) {
      const verify::StoredRecord stored = stored_of(reader);
      audit.add_row(stored, record_of(reader));
    } else if (what % 4 == 1) {
      const verify::StoredRecord stored = stored_of(reader);
      audit.add_dead_letter(stored, record_of(reader));
    } else {
      const verify::Place place{.partition = reader.number<std::uint8_t>(), .offset = messages};
      audit.add_message(place, record_of(reader));
      ++messages;
    }
  }
  const verify::AuditResult result = audit.finish();
  expect(result.messages <= messages, "no message is invented");
}

}  // namespace spillway::fuzz
