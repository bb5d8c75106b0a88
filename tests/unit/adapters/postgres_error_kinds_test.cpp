// tests/unit/adapters/postgres_error_kinds_test.cpp: what an SQLSTATE means for a transaction.

#include <string>

#include <gtest/gtest.h>

#include "adapters/postgres/error_kinds.hpp"

namespace spillway::postgres {
namespace {

using enum ErrorKind;

struct Row {
  const char* name;
  const char* sqlstate;
  bool session_ends;
  ErrorKind kind;
};
class ErrorKinds : public testing::TestWithParam<Row> {};

TEST_P(ErrorKinds, Holds) {
  EXPECT_EQ(kind_of(GetParam().sqlstate, GetParam().session_ends), GetParam().kind);
}
INSTANTIATE_TEST_SUITE_P(
    Postgres, ErrorKinds,
    testing::Values(Row{"Serialization", "40001", false, retry},
                    Row{"Deadlock", "40P01", false, retry},
                    Row{"CompletionUnknown", "40003", false, lost},
                    Row{"DiskFull", "53100", false, retry}, Row{"Cancelled", "57014", false, retry},
                    Row{"Shutdown", "57P01", true, lost}, Row{"ReadOnly", "25006", false, retry},
                    Row{"Privilege", "42501", false, retry}, Row{"NoTable", "42P01", false, retry},
                    Row{"RowIsThere", "23505", false, lost}, Row{"Check", "23514", false, refused},
                    Row{"Data", "22P03", false, refused},
                    Row{"ProgramLimit", "54000", false, refused},
                    Row{"Connection", "08006", false, lost}, Row{"Clients", "", false, lost}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(PostgresErrors, NameTheWayOut) {
  EXPECT_NE(hint_for("42P01").find("spillway schema --apply"), std::string_view::npos);
  EXPECT_NE(hint_for("28P01").find("postgres.password_file"), std::string_view::npos);
  EXPECT_TRUE(hint_for("40001").empty());
}

TEST(PostgresErrors, AreToldOnOneLine) {
  EXPECT_EQ(on_one_line("server closed\n\tthe connection\n"), "server closed the connection");
  EXPECT_EQ(on_one_line(""), "");
}

}  // namespace
}  // namespace spillway::postgres
