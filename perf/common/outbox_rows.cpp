#include "perf/common/outbox_rows.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <string_view>
#include <utility>

namespace spillway::perf {
namespace {

constexpr std::string_view columns =
    "instance, lane, seq, topic, key, payload, headers, accepted_at, event_time, held, resend, "
    "renumbered_from";
constexpr std::int16_t column_count = 12;
constexpr std::size_t fill_batch = 10'000;

// COPY's binary format, of PostgreSQL's manual: big-endian, each field after its length.
class CopyData {
 public:
  explicit CopyData(std::size_t bytes) {
    bytes_.reserve(bytes);
    put_raw(std::string_view{"PGCOPY\n\377\r\n\0", 11});
    put<std::uint32_t>(0);  // flags
    put<std::uint32_t>(0);  // no extension
  }

  template <class Number>
  void put(Number value) {
    for (std::size_t i = sizeof(Number); i-- > 0;)
      bytes_.push_back(
          static_cast<std::byte>((static_cast<std::uint64_t>(value) >> (8 * i)) & 0xFFU));
  }
  template <class Number>
  void put_number(Number value) {
    put(static_cast<std::uint32_t>(sizeof(Number)));
    put(value);
  }
  void put_bytes(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    put_raw(text);
  }
  void put_null() { put(std::int32_t{-1}); }
  [[nodiscard]] std::vector<std::byte> end() {
    put(std::int16_t{-1});
    return std::move(bytes_);
  }

 private:
  void put_raw(std::string_view text) {
    const auto bytes = std::as_bytes(std::span{text.data(), text.size()});
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

  std::vector<std::byte> bytes_;
};

std::int64_t now_in_postgres_us() {
  using namespace std::chrono;
  constexpr sys_days epoch{year{2000} / January / 1};
  return duration_cast<microseconds>(system_clock::now() - epoch).count();
}

std::string stream_of(std::int64_t instance) {
  return " instance = " + std::to_string(instance) + " AND lane = 0";
}

}  // namespace

std::string key_of_row(std::int64_t seq, std::size_t bytes) {
  std::string key = "key-" + std::to_string(seq);
  key.resize(bytes, '.');
  return key;
}

std::string copy_rows_sql(const std::string& table) {
  return "COPY " + table + " (" + std::string{columns} + ") FROM STDIN (FORMAT binary)";
}

std::string insert_row_sql() {
  return "INSERT INTO spillway.outbox (instance, lane, seq, topic, key, payload, headers, "
         "accepted_at, held) VALUES (1, 0, $1::bigint, $2::bytea, $3::bytea, $4::bytea, '', now(), "
         "false)";
}

std::vector<std::byte> encode_rows(const RowShape& shape, const RowRun& run) {
  constexpr std::size_t fixed_bytes = 128;
  CopyData data{run.rows *
                (fixed_bytes + shape.topic.size() + shape.key_bytes + shape.payload_bytes)};
  const std::string payload(shape.payload_bytes, 'p');
  const std::int64_t accepted_at = now_in_postgres_us();
  for (std::size_t i = 0; i < run.rows; ++i) {
    const std::int64_t seq = run.first_seq + static_cast<std::int64_t>(i);
    data.put(column_count);
    data.put_number(run.instance);
    data.put_number(std::int32_t{0});  // lane
    data.put_number(seq);
    data.put_bytes(shape.topic);
    data.put_bytes(key_of_row(seq, shape.key_bytes));
    data.put_bytes(payload);
    data.put_bytes({});  // no headers
    data.put_number(accepted_at);
    data.put_null();                   // event_time
    data.put_number(std::uint8_t{0});  // not held
    data.put_null();                   // resend
    data.put_null();                   // renumbered_from
  }
  return data.end();
}

void fill_outbox(SqlSession& sql, const RowShape& shape, std::int64_t instance, std::size_t rows,
                 const std::string& table) {
  const std::string copy = copy_rows_sql(table);
  for (std::size_t done = 0; done < rows; done += fill_batch) {
    const RowRun run{.instance = instance,
                     .first_seq = static_cast<std::int64_t>(done) + 1,
                     .rows = std::min(fill_batch, rows - done)};
    sql.copy(copy, encode_rows(shape, run));
  }
}

void offer_rows(SqlSession& sql, std::int64_t instance, std::size_t written_through) {
  sql.run("INSERT INTO spillway.stream (instance, lane, written_through) VALUES (" +
          std::to_string(instance) + ", 0, " + std::to_string(written_through) + ")");
}

std::int64_t relayed_through(SqlSession& sql, std::int64_t instance) {
  return sql.number("SELECT coalesce(max(relayed_through), 0) FROM spillway.relay_progress WHERE" +
                    stream_of(instance));
}

}  // namespace spillway::perf
