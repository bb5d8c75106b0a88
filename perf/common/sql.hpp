// perf/common/sql.hpp: a blocking session with Postgres, for baselines and for what the server
// counts.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <libpq-fe.h>

namespace spillway::perf {

template <auto release>
struct PostgresReleasedBy {
  void operator()(auto* handle) const noexcept { release(handle); }
};
using SqlResult = std::unique_ptr<PGresult, PostgresReleasedBy<PQclear>>;

/// Each call is one exchange. @throws program::CommandError with what the server said
/// @thread one at a time @blocks until the answer is there
class SqlSession {
 public:
  explicit SqlSession(const std::string& conninfo);

  /// Any number of statements; the answer to the last.
  SqlResult run(const std::string& sql);
  /// The first cell of the answer.
  [[nodiscard]] std::string text(const std::string& sql);
  [[nodiscard]] std::int64_t number(const std::string& sql);

  void prepare(const char* name, const std::string& sql);
  /// A prepared statement with parameters as bytes, in the format of the binary protocol; a null
  /// pointer is null.
  SqlResult execute(const char* name, std::span<const std::string_view> parameters);

  /// `sql` is a COPY ... FROM STDIN, alone or at the end of others.
  void copy(const std::string& sql, std::span<const std::byte> data);

 private:
  void require(const PGresult* result, std::string_view what) const;
  void require_end(std::string_view what);
  [[noreturn]] void fail(std::string_view what) const;

  std::unique_ptr<PGconn, PostgresReleasedBy<PQfinish>> connection_;
};

/// The bytes of a number as the binary protocol has them.
class BigEndian {
 public:
  explicit BigEndian(std::int64_t value) noexcept { put(static_cast<std::uint64_t>(value), 8); }
  explicit BigEndian(std::int32_t value) noexcept {
    put(static_cast<std::uint32_t>(value), sizeof(value));
  }
  [[nodiscard]] std::string_view bytes() const noexcept { return {bytes_.data(), size_}; }

 private:
  void put(std::uint64_t value, std::size_t size) noexcept {
    size_ = size;
    for (std::size_t i = size; i-- > 0; value >>= 8U)
      bytes_[i] = static_cast<char>(value & 0xFFU);
  }

  std::array<char, 8> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace spillway::perf
