// tests/integration/pg_awaited_test.cpp: who sleeps until what awaited() names misses nothing.
//
// The product has no hook for a socket that is full at one look and empty at the next: the linker
// puts what is below between it and libpq (--wrap).

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <poll.h>

#include "adapters/postgres/pg_outbox.hpp"
#include "adapters/postgres/schema_sql.hpp"
#include "spillway/envelope.hpp"
#include "support/database.hpp"
#include "support/driving.hpp"
#include "support/recording_log.hpp"

namespace {

// Of the looks at the socket every so many finds it full; 0: none does.
unsigned full_every = 0;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

// Names that the linker's --wrap asks for.
// NOLINTBEGIN(readability-identifier-naming, bugprone-reserved-identifier)
extern "C" {
int __real_PQflush(PGconn* connection);
int __wrap_PQflush(PGconn* connection) {
  static unsigned looks = 0;
  constexpr int is_full = 1;
  if (full_every != 0 && ++looks % full_every == 0) return is_full;
  return __real_PQflush(connection);
}
}
// NOLINTEND(readability-identifier-naming, bugprone-reserved-identifier)

namespace spillway::postgres {
namespace {

using ports::StoreEventKind;
using testing::next_event;
using testing::real_now;

class PgAwaited : public ::testing::Test {
 protected:
  PgAwaited() {
    sql_.run(std::string{schema_text()});
    EXPECT_EQ(next_event(outbox_).kind, StoreEventKind::connected);
    EXPECT_EQ(outbox_.awaited().fd, -1) << "it is idle";
  }
  ~PgAwaited() override { full_every = 0; }

  void begin_write(std::size_t megabytes) {
    for (std::size_t i = 1; i <= megabytes; ++i) {
      ports::OutboxRow row;
      row.seq = {i};
      row.topic = "orders";
      row.payload = bytes_of(payload_);
      rows_.push_back(row);
    }
    outbox_.write_rows({0}, rows_);
  }

  // As the writer's thread does, but without the longest nap it takes.
  StoreEventKind sleep_until_answered() {
    StoreEventKind seen = outbox_.poll(real_now()).kind;
    while (seen == StoreEventKind::none) {
      pollfd answer = outbox_.awaited();
      constexpr int patience_ms = 10'000;
      if (::poll(&answer, 1, patience_ms) != 1) {
        ADD_FAILURE() << "slept through";
        break;
      }
      seen = outbox_.poll(real_now()).kind;
    }
    return seen;
  }

  std::string rows_stored() { return sql_.value("SELECT count(*) FROM spillway.outbox"); }

  testing::TestDatabase database_;
  testing::SqlSession sql_ = database_.session();
  testing::RecordingLog log_;
  PgOutbox outbox_{{.conninfo = database_.conninfo(), .instance = {1}}, log_};

 private:
  const std::string payload_ = std::string(1'000'000, 'x');
  std::vector<ports::OutboxRow> rows_;
};

TEST_F(PgAwaited, CoversABatchLargerThanTheSocketTakesAtOnce) {
  begin_write(30);

  EXPECT_EQ(sleep_until_answered(), StoreEventKind::committed);

  EXPECT_EQ(rows_stored(), "30");
  EXPECT_EQ(outbox_.awaited().fd, -1);
}

TEST_F(PgAwaited, CoversASocketThatIsEmptyAgainAtTheNextLook) {
  full_every = 3;
  begin_write(3);

  EXPECT_EQ(sleep_until_answered(), StoreEventKind::committed);

  EXPECT_EQ(rows_stored(), "3");
}

}  // namespace
}  // namespace spillway::postgres
