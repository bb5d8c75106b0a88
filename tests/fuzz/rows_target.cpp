// Rows of the outbox as libpq holds them: for each cell whether it is null, its length, its bytes.

#include <array>
#include <string>
#include <utility>

#include "adapters/postgres/row_batch.hpp"
#include "adapters/postgres/sql_text.hpp"
#include "core/header_block.hpp"
#include "fuzz/input_reader.hpp"
#include "fuzz/target.hpp"

namespace spillway::fuzz {
namespace {

constexpr int columns = 11;  // batch_columns
constexpr int rows_max = 8;

postgres::Result result_of(InputReader& reader) {
  postgres::Result result{PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK)};
  std::array<PGresAttDesc, columns> attributes{};
  std::array<char, 2> name{'c', 0};
  for (PGresAttDesc& attribute : attributes)
    attribute = {.name = name.data(),
                 .tableid = 0,
                 .columnid = 0,
                 .format = 1,
                 .typid = 0,
                 .typlen = -1,
                 .atttypmod = -1};
  expect(PQsetResultAttrs(result.get(), columns, attributes.data()) == 1, "a result can be made");
  for (int row = 0; row < rows_max && !reader.at_end(); ++row) {
    for (int column = 0; column < columns; ++column) {
      const auto cell = reader.maybe_piece();
      std::string bytes;
      if (cell) bytes.assign(reinterpret_cast<const char*>(cell->data()), cell->size());
      const int length = cell ? static_cast<int>(bytes.size()) : -1;
      expect(PQsetvalue(result.get(), row, column, bytes.data(), length) == 1, "a cell can be set");
    }
  }
  return result;
}

}  // namespace

void read_rows(Input input) {
  InputReader reader{input};
  postgres::Result result = result_of(reader);
  const PGresult* const cells = result.get();
  const int count = PQntuples(cells);
  const postgres::PgRowBatch batch{std::move(result)};
  expect(batch.rows().size() == static_cast<std::size_t>(count), "every row is read");
  int row = 0;
  for (const ports::RelayRow& read : batch.rows()) {
    expect(read.key.has_value() == !postgres::is_null(cells, row, 2), "null and empty are two");
    expect(read.payload.has_value() == !postgres::is_null(cells, row, 3), "null and empty are two");
    std::size_t headers = 0;
    for (core::HeaderReader block{read.headers}; block.next();)
      ++headers;
    expect(headers <= read.headers.size(), "headers end");
    ++row;
  }
}

}  // namespace spillway::fuzz
