#include "crash/content.hpp"

#include <algorithm>
#include <cstring>

#include "core/header_block.hpp"
#include "crash/dice.hpp"

namespace spillway::crash {
namespace {

constexpr std::size_t short_bytes_max = 200;

/// How a payload begins; the rest follows from it.
struct Label {
  std::uint64_t number = 0;
  std::uint64_t order = 0;
  std::uint64_t publisher = 0;
};

Bytes bytes_of(const Content& content) noexcept {
  return content.payload;
}

bool is_same(std::optional<Bytes> found, const std::optional<std::string>& published) noexcept {
  if (!found || !published) return found.has_value() == published.has_value();
  return std::ranges::equal(*found, spillway::bytes_of(*published));
}

bool has_same_headers(Bytes block, const Content& published) noexcept {
  core::HeaderReader reader{block};
  const std::optional<Header> only = reader.next();
  if (only.has_value() != published.header.has_value()) return false;
  if (!only) return reader.is_well_formed();
  return only->name == "about" && is_same(only->value, published.header) && !reader.next() &&
         reader.is_well_formed();
}

// A label, and so many bytes more.
std::vector<std::byte> payload_of(const RecordName& name, std::uint64_t order, std::size_t more,
                                  Dice& dice) {
  std::vector<std::byte> payload(sizeof(Label) + more, static_cast<std::byte>(dice.below(256)));
  const Label label{.number = name.number, .order = order, .publisher = name.publisher};
  std::memcpy(payload.data(), &label, sizeof label);
  // So that a payload that was cut, moved or overwritten in one place shows.
  for (std::size_t at = sizeof label; at + 8 <= payload.size(); at += 64) {
    const std::uint64_t value = dice.next();
    std::memcpy(payload.data() + at, &value, sizeof value);
  }
  return payload;
}

}  // namespace

Content content_of(const RecordName& name, std::uint64_t order, std::size_t payload_bytes_max) {
  Dice dice{(std::uint64_t{name.publisher} << 48U) ^ name.number};
  Content content;
  if (payload_bytes_max == all_alike) {
    content.key = "key-" + std::to_string(10 + dice.below(32));
    content.payload = payload_of(name, order, all_alike, dice);
    return content;
  }
  if (!dice.one_in(8)) content.key = "key-" + std::to_string(dice.below(32));
  if (dice.one_in(4)) content.header = std::string(dice.below(40), 'h');
  if (dice.one_in(4)) content.event_time_ms = static_cast<std::int64_t>(dice.below(1'000'000));
  const std::size_t bytes_max =
      dice.one_in(8) ? payload_bytes_max : std::min(short_bytes_max, payload_bytes_max);
  content.payload = payload_of(name, order, dice.below(bytes_max), dice);
  return content;
}

Sent read_back(const ports::Submission& record, std::size_t payload_bytes_max) {
  Sent sent;
  sent.seq = record.provenance.seq.value;
  sent.lane = record.provenance.stream.lane.value;
  sent.marked = record.provenance.resend != core::ResendCause::none;
  if (!record.payload || record.payload->size() < sizeof(Label)) return sent;
  Label label;
  std::memcpy(&label, record.payload->data(), sizeof label);
  sent.name = {.publisher = static_cast<std::uint32_t>(label.publisher), .number = label.number};
  sent.order = label.order;
  const Content published = content_of(sent.name, label.order, payload_bytes_max);
  sent.intact = std::ranges::equal(*record.payload, bytes_of(published)) &&
                is_same(record.key, published.key) && has_same_headers(record.headers, published) &&
                record.event_time_ms == published.event_time_ms;
  return sent;
}

}  // namespace spillway::crash
