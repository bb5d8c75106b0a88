#include "adapters/postgres/copy_binary.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "adapters/postgres/sql_text.hpp"
#include "core/check.hpp"
#include "core/position.hpp"
#include "spillway/envelope.hpp"

namespace spillway::postgres {
namespace {

constexpr std::array<unsigned char, 11> signature{'P',  'G',  'C',  'O',  'P', 'Y',
                                                  '\n', 0xFF, '\r', '\n', 0};
constexpr std::size_t header_bytes = signature.size() + 4 + 4;
constexpr std::size_t trailer_bytes = 2;
constexpr std::uint16_t fields = 12;
// Field count, the lengths, and the values whose size does not depend on the row.
constexpr std::size_t row_fixed_bytes = 2 + fields * 4 + 8 + 4 + 8 + 8 + 8 + 1 + 8;

class Cursor {
 public:
  explicit Cursor(std::byte* at) noexcept : at_{at} {}

  template <class Number>
  void put(Number value) noexcept {
    const std::uint64_t wide = value;
    for (std::size_t i = sizeof(Number); i-- > 0;) {
      *at_++ = static_cast<std::byte>((wide >> (8 * i)) & 0xFFU);
    }
  }
  void put_null() noexcept { put(~std::uint32_t{0}); }
  void put_bytes(ports::Bytes bytes) noexcept {
    put(static_cast<std::uint32_t>(bytes.size()));
    put_raw(bytes);
  }
  void put_maybe(const std::optional<ports::Bytes>& bytes) noexcept {
    bytes ? put_bytes(*bytes) : put_null();
  }
  void put_int8(std::int64_t value) noexcept {
    put(std::uint32_t{8});
    put(from_bigint(value));
  }
  void put_raw(ports::Bytes bytes) noexcept {
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  [[nodiscard]] const std::byte* at() const noexcept { return at_; }

 private:
  std::byte* at_;
};

std::size_t row_bytes_max(const ports::OutboxRow& row) noexcept {
  const std::size_t key = row.key ? row.key->size() : 0;
  const std::size_t payload = row.payload ? row.payload->size() : 0;
  return row_fixed_bytes + row.topic.size() + key + payload + row.headers.size() +
         core::name_of(row.resend).size();
}

void put_row(Cursor& out, core::StreamId stream, const ports::OutboxRow& row) noexcept {
  out.put(fields);
  out.put_int8(as_bigint(stream.instance.value));
  out.put(std::uint32_t{4});
  out.put(std::uint32_t{stream.lane.value});
  out.put_int8(as_bigint(row.seq.value));
  out.put_bytes(bytes_of(row.topic));
  out.put_maybe(row.key);
  out.put_maybe(row.payload);
  out.put_bytes(row.headers);
  out.put_int8(to_postgres_us(row.accepted_at));
  row.event_time_ms ? out.put_int8(*row.event_time_ms) : out.put_null();
  out.put(std::uint32_t{1});
  out.put(static_cast<std::uint8_t>(row.held ? 1 : 0));
  const std::string_view resend = core::name_of(row.resend);
  resend.empty() ? out.put_null() : out.put_bytes(bytes_of(resend));
  row.renumbered_from.value != 0 ? out.put_int8(as_bigint(row.renumbered_from.value))
                                 : out.put_null();
}

}  // namespace

std::span<const std::byte> CopyEncoder::encode(core::StreamId stream,
                                               std::span<const ports::OutboxRow> rows) {
  std::size_t bytes_max = header_bytes + trailer_bytes;
  for (const ports::OutboxRow& row : rows)
    bytes_max += row_bytes_max(row);
  if (buffer_.size() < bytes_max) buffer_.resize(bytes_max);

  Cursor out{buffer_.data()};
  out.put_raw(std::as_bytes(std::span{signature}));
  out.put(std::uint32_t{0});
  out.put(std::uint32_t{0});
  for (const ports::OutboxRow& row : rows)
    put_row(out, stream, row);
  out.put(std::uint16_t{0xFFFF});

  const auto used = static_cast<std::size_t>(out.at() - buffer_.data());
  SPILLWAY_CHECK(used <= bytes_max);
  return std::span{buffer_}.first(used);
}

}  // namespace spillway::postgres
