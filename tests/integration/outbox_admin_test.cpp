// tests/integration/outbox_admin_test.cpp: spillway::Outbox on a real server.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "spillway/config.hpp"
#include "spillway/error.hpp"
#include "spillway/outbox.hpp"
#include "support/database.hpp"

namespace spillway {
namespace {

constexpr std::string_view first = "fedcba9876543210-3-1";

class OutboxOnServer : public ::testing::Test {
 protected:
  OutboxOnServer() { config_.postgres.conninfo = database_.conninfo(); }

  // Three rows of one stream, the first held; a dead letter of another.
  void fill() {
    sql_.run(R"(
      INSERT INTO spillway.stream VALUES (-81985529216486896, 3, 3, 1), (5, 0, 9, 0);
      INSERT INTO spillway.relay_progress VALUES (5, 0, 9, 9, 1);
      INSERT INTO spillway.outbox (instance, lane, seq, topic, key, payload, headers, accepted_at, held,
                                   resend, attempts, event_time)
      SELECT -81985529216486896, 3, seq, 'orders', CASE seq WHEN 1 THEN '\x6b00'::bytea END,
             CASE seq WHEN 1 THEN '\x70'::bytea END, '\x000168000000017600016effffffff',
             '2023-11-14 22:13:20.123456+00', seq = 1, CASE seq WHEN 2 THEN 'lease' END, seq - 1, 7
      FROM generate_series(1, 3) AS seq;
      INSERT INTO spillway.dead_letter (instance, lane, seq, topic, headers, accepted_at, error)
      VALUES (5, 0, 4, 'orders', '', now(), 'too large'))");
  }

  testing::TestDatabase database_;
  testing::SqlSession sql_ = database_.session();
  Config config_;
};

TEST_F(OutboxOnServer, AppliesTheSchemaThatItPrints) {
  Outbox outbox = Outbox::open(config_);

  outbox.apply_schema();
  outbox.apply_schema();

  EXPECT_TRUE(outbox.streams().empty());
  EXPECT_NE(schema_sql().find("CREATE TABLE IF NOT EXISTS spillway.outbox"),
            std::string_view::npos);
}

TEST_F(OutboxOnServer, NamesTheCommandThatMakesTheSchema) {
  Outbox outbox = Outbox::open(config_);

  try {
    [[maybe_unused]] const auto streams = outbox.streams();
    FAIL() << "there are no tables";
  } catch (const StartError& error) {
    EXPECT_NE(std::string_view{error.what()}.find("spillway schema --apply"),
              std::string_view::npos);
  }
}

TEST_F(OutboxOnServer, ListsStreamsWithTheirOwners) {
  Outbox outbox = Outbox::open(config_);
  outbox.apply_schema();
  fill();

  const std::vector<OutboxStream> streams = outbox.streams();

  ASSERT_EQ(streams.size(), 2U);
  EXPECT_EQ(streams[0].instance, 0xFEDC'BA98'7654'3210U);
  EXPECT_EQ(streams[0].lane, 3U);
  EXPECT_EQ(streams[0].rows, 3U);
  EXPECT_EQ(streams[0].held, 1U);
  EXPECT_EQ(streams[0].written_through, 3U);
  EXPECT_FALSE(streams[0].owner_alive);
  EXPECT_FALSE(streams[0].leased);
  EXPECT_EQ(streams[0].oldest.time_since_epoch().count(), 1'700'000'000'123'456);
  EXPECT_EQ(streams[1].rows, 0U);
  EXPECT_EQ(streams[1].relayed_through, 9U);
  EXPECT_EQ(streams[1].oldest.time_since_epoch().count(), 0);
}

TEST_F(OutboxOnServer, ShowsRecordsToTheByte) {
  Outbox outbox = Outbox::open(config_);
  outbox.apply_schema();
  fill();
  std::vector<OutboxRecord> rows;

  outbox.for_each_row(2, [&](const OutboxRecord& row) { rows.push_back(row); });

  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].position, first);
  EXPECT_EQ(rows[0].topic, "orders");
  EXPECT_EQ(rows[0].key, (std::string{"k\0", 2}));
  EXPECT_EQ(rows[0].payload, "p");
  ASSERT_EQ(rows[0].headers.size(), 2U);
  EXPECT_EQ(rows[0].headers[0], (std::pair<std::string, std::optional<std::string>>{"h", "v"}));
  EXPECT_EQ(rows[0].headers[1].second, std::nullopt);
  EXPECT_EQ(rows[0].accepted_at.time_since_epoch().count(), 1'700'000'000'123'456);
  EXPECT_TRUE(rows[0].held);
  EXPECT_EQ(rows[0].event_time, EventTime{std::chrono::milliseconds{7}});
  EXPECT_EQ(rows[1].key, std::nullopt);
  EXPECT_EQ(rows[1].payload, std::nullopt);
  EXPECT_EQ(rows[1].resend, "lease");
  EXPECT_EQ(rows[1].attempts, 1U);
}

TEST_F(OutboxOnServer, FindsByPositionAndRemovesALetterOnce) {
  Outbox outbox = Outbox::open(config_);
  outbox.apply_schema();
  fill();
  const std::string letter = "0000000000000005-0-4";

  EXPECT_EQ(outbox.find(first).value_or(OutboxRecord{}).position, first);
  EXPECT_EQ(outbox.find(letter).value_or(OutboxRecord{}).error, "too large");
  EXPECT_FALSE(outbox.find("0000000000000005-0-5"));
  EXPECT_FALSE(outbox.find("nonsense"));

  EXPECT_TRUE(outbox.remove_dead_letter(letter));
  EXPECT_FALSE(outbox.remove_dead_letter(letter));
  EXPECT_FALSE(outbox.remove_dead_letter(std::string{first}));
}

TEST_F(OutboxOnServer, SaysWhichServerCannotBeReached) {
  config_.postgres.conninfo = "host=127.0.0.1 port=1 password=hunter2";

  try {
    [[maybe_unused]] const Outbox outbox = Outbox::open(config_);
    FAIL() << "nobody listens there";
  } catch (const StartError& error) {
    const std::string_view what = error.what();
    EXPECT_NE(what.find("127.0.0.1:1"), std::string_view::npos) << what;
    EXPECT_EQ(what.find("hunter2"), std::string_view::npos) << what;
  }
}

}  // namespace
}  // namespace spillway
