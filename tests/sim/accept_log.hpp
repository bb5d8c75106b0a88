// tests/sim/accept_log.hpp: what was published, and how each call ended: the harness's own memory,
// which no crash touches.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "support/record_maker.hpp"
#include "support/sim/sim_kafka.hpp"

namespace spillway::sim {

/// A record's number in the accept log; its payload begins with it.
struct RecordId {
  std::uint32_t value = 0;
};

enum class CallEnd : std::uint8_t {
  unknown,  ///< The process died in it: the record may exist.
  accepted,
  refused,
};

struct AcceptEntry {
  std::uint32_t instance = 0;
  std::uint64_t publisher = 0;  ///< Of one life of one instance.
  std::uint32_t topic = 0;
  std::int32_t key = 0;  ///< Below 0: none.
  std::uint32_t payload_bytes = 0;
  std::uint32_t header_bytes = 0;
  std::uint64_t begun = 0;  ///< Place in the order of everything that publishers did.
  std::uint64_t returned = std::numeric_limits<std::uint64_t>::max();
  CallEnd end = CallEnd::unknown;
};

using AcceptLog = std::vector<AcceptEntry>;

[[nodiscard]] std::string topic_name(std::uint32_t topic);
/// The bytes that a publisher hands over for an entry.
[[nodiscard]] test::EnvelopeText envelope_of(RecordId id, const AcceptEntry& entry);
/// Nothing: not a payload of ours.
[[nodiscard]] std::optional<RecordId> id_of(const std::optional<ByteString>& payload,
                                            const AcceptLog& log) noexcept;
/// What is wrong with a copy of an entry in Kafka; empty when every byte is as it was handed over.
[[nodiscard]] std::string damage_of(RecordId id, const AcceptEntry& entry, std::string_view topic,
                                    const LogRecord& copy);
/// The same of one in the dead letters, whose headers are still a block.
[[nodiscard]] std::string damage_of(RecordId id, const AcceptEntry& entry, std::string_view topic,
                                    const std::optional<ByteString>& key,
                                    const std::optional<ByteString>& payload,
                                    const ByteString& headers);

}  // namespace spillway::sim
