#include "verify/decode.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "verify/accepts.hpp"

namespace spillway::verify {
namespace {

constexpr std::uint64_t golden = 0x9E3779B97F4A7C15U;

// Not cryptographic: it must tell copies from other records, not withstand an attacker.
std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
  hash = (hash ^ word) * golden;
  return hash ^ (hash >> 29U);
}

std::uint64_t hash_bytes(std::uint64_t seed, Bytes bytes) noexcept {
  std::uint64_t hash = mix(seed, bytes.size());
  while (bytes.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    hash = mix(hash, word);
    bytes = bytes.subspan(sizeof word);
  }
  std::uint64_t rest = 0;
  for (const std::byte byte : bytes)
    rest = (rest << 8U) | std::to_integer<std::uint64_t>(byte);
  return mix(hash, rest);
}

// Null and empty are two things to Kafka.
std::uint64_t hash_nullable(std::uint64_t seed, const std::optional<Bytes>& bytes) noexcept {
  return bytes ? hash_bytes(seed, *bytes) : mix(seed, std::numeric_limits<std::uint64_t>::max());
}

std::string_view text_of(Bytes bytes) noexcept {
  // Bytes may be looked at as characters.
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_lower_hex(char digit) noexcept {
  return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
}

// All of `text`, as a number in `base`; no sign, and no zero in front unless `width` digits are
// fixed.
template <class Number>
std::optional<Number> parse_number(std::string_view text, int base, bool fixed_width) noexcept {
  if (text.empty() || (!fixed_width && text.size() > 1 && text.front() == '0')) return std::nullopt;
  if (text.front() == '-') return std::nullopt;
  if (base == 16 && !std::ranges::all_of(text, is_lower_hex)) return std::nullopt;
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Takes "<name><digits> " off the front of `text`.
template <class Number>
std::optional<Number> take_field(std::string_view& text, std::string_view name, std::size_t digits,
                                 int base) noexcept {
  if (text.size() < name.size() + digits + 1 || !text.starts_with(name)) return std::nullopt;
  if (text[name.size() + digits] != ' ') return std::nullopt;
  const auto value = parse_number<Number>(text.substr(name.size(), digits), base, true);
  text.remove_prefix(name.size() + digits + 1);
  return value;
}

std::uint32_t take_big_endian(Bytes& from, std::size_t bytes) noexcept {
  std::uint32_t value = 0;
  for (const std::byte byte : from.first(bytes)) {
    value = (value << 8U) | std::to_integer<std::uint32_t>(byte);
  }
  from = from.subspan(bytes);
  return value;
}

}  // namespace

std::optional<Position> parse_position(std::string_view text) noexcept {
  constexpr std::size_t instance_digits = 16;
  if (text.size() <= instance_digits || text[instance_digits] != '-') return std::nullopt;
  const auto instance = parse_number<std::uint64_t>(text.substr(0, instance_digits), 16, true);
  text.remove_prefix(instance_digits + 1);
  const std::size_t dash = text.find('-');
  if (!instance || dash == std::string_view::npos) return std::nullopt;
  const auto lane = parse_number<std::uint16_t>(text.substr(0, dash), 10, false);
  const auto seq = parse_number<std::uint64_t>(text.substr(dash + 1), 10, false);
  if (!lane || !seq || *seq == 0) return std::nullopt;
  return Position{.instance = *instance, .lane = *lane, .seq = *seq};
}

std::string text_of(const Position& position) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(16, '0');
  std::uint64_t rest = position.instance;
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, rest >>= 4U) {
    *digit = digits[rest & 0xFU];
  }
  return text + '-' + std::to_string(position.lane) + '-' + std::to_string(position.seq);
}

Mark parse_mark(std::string_view text) noexcept {
  if (text == "fatal") return Mark::fatal;
  if (text == "recovery") return Mark::recovery;
  if (text == "lease") return Mark::lease;
  return Mark::unknown;
}

Payload read_payload(Bytes payload) noexcept {
  std::string_view text = text_of(payload);
  const auto run = take_field<std::uint64_t>(text, "run=", 16, 16);
  if (!run || !text.starts_with("publisher=")) return {};
  const auto publisher = take_field<std::uint32_t>(text, "publisher=", 4, 10);
  const auto n = take_field<std::uint64_t>(text, "n=", 12, 10);
  const auto at = take_field<std::uint64_t>(text, "at=", 19, 10);
  const bool whole = publisher && n && at && text.find_first_not_of(' ') == std::string_view::npos;
  if (!whole) return {.kind = PayloadKind::damaged, .tag = {}};
  return {.kind = PayloadKind::tagged,
          .tag = {.run = *run, .publisher = *publisher, .n = *n, .at_unix_ns = *at}};
}

// Austin Appleby's murmur2 with the seed of the Java client (org.apache.kafka.common.utils.Utils).
std::uint32_t partition_of(Bytes key, std::uint32_t partitions) noexcept {
  constexpr std::uint32_t m = 0x5BD1E995U;
  std::uint32_t hash = 0x9747B28CU ^ static_cast<std::uint32_t>(key.size());
  while (key.size() >= sizeof(std::uint32_t)) {
    std::uint32_t word = 0;
    std::memcpy(&word, key.data(), sizeof word);
    word *= m;
    word ^= word >> 24U;
    hash = (hash * m) ^ (word * m);
    key = key.subspan(sizeof word);
  }
  if (!key.empty()) {
    for (std::size_t i = 0; i < key.size(); ++i)
      hash ^= std::to_integer<std::uint32_t>(key[i]) << (8 * i);
    hash *= m;
  }
  hash ^= hash >> 13U;
  hash *= m;
  hash ^= hash >> 15U;
  return (hash & 0x7FFFFFFFU) % partitions;
}

std::uint64_t content_of(std::string_view topic, const RecordReader& record) noexcept {
  return mix(hash_bytes(golden, bytes_of(topic)), record.content()) | 1U;
}

RecordReader::RecordReader(std::optional<Bytes> key, std::optional<Bytes> payload) noexcept
    : key_{key}, content_{hash_nullable(hash_nullable(golden, key), payload)} {
  if (key) key_hash_ = hash_bytes(golden, *key);
  if (payload) payload_ = read_payload(*payload);
}

void RecordReader::take_header(std::string_view name, std::optional<Bytes> value) noexcept {
  if (!name.starts_with("spillway-")) {
    content_ = hash_nullable(hash_bytes(content_, bytes_of(name)), value);
    if (name == tag_header && value && payload_.kind == PayloadKind::foreign) {
      payload_ = read_payload(*value);
    }
    return;
  }
  const std::string_view text = value ? text_of(*value) : std::string_view{};
  if (name == "spillway-position") {
    const auto position = parse_position(text);
    if (!position || (position_ && position_ != position)) position_spoilt_ = true;
    position_ = position;
  } else if (name == "spillway-resend") {
    mark_ = parse_mark(text);
  } else if (name == "spillway-renumbered") {
    renumbered_from_ = parse_number<std::uint64_t>(text, 10, false).value_or(0);
  } else if (name == "spillway-relayed") {
    relayed_ = true;
  }
}

bool RecordReader::take_header_block(Bytes block) noexcept {
  constexpr std::uint32_t null_value = std::numeric_limits<std::uint32_t>::max();
  while (!block.empty()) {
    if (block.size() < 2) return false;
    const std::size_t name_bytes = take_big_endian(block, 2);
    if (block.size() < name_bytes + 4) return false;
    const std::string_view name = text_of(block.first(name_bytes));
    block = block.subspan(name_bytes);
    const std::uint32_t value_bytes = take_big_endian(block, 4);
    if (value_bytes == null_value) {
      take_header(name, std::nullopt);
      continue;
    }
    if (block.size() < value_bytes) return false;
    take_header(name, block.first(value_bytes));
    block = block.subspan(value_bytes);
  }
  return true;
}

std::optional<Position> RecordReader::position() const noexcept {
  return position_spoilt_ ? std::nullopt : position_;
}

}  // namespace spillway::verify
