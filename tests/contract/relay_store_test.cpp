// tests/contract/relay_store_test.cpp: what ports/relay_store.hpp says, of both outboxes.

#include "ports/relay_store.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "contract/postgres_worlds.hpp"

namespace spillway::contract {
namespace {

using core::ResendCause;
using core::Seq;
using ports::RelayEventKind;
using Rows = std::vector<SeenRow>;
using Letters = std::vector<SeenLetter>;
using Seqs = std::vector<std::uint64_t>;

constexpr std::size_t many = 1'000'000;

template <class Postgres>
class RelayContract : public WithOwner<Postgres> {
 protected:
  using Relay = std::unique_ptr<ports::RelayStore>;

  Relay start_relay() {
    Relay relay = this->postgres_.relay();
    EXPECT_EQ(next_of(relay).kind, RelayEventKind::connected);
    return relay;
  }
  ports::RelayEvent next_of(const Relay& relay) {
    ports::RelayEvent event;
    EXPECT_TRUE(this->postgres_.eventually([&] {
      event = relay->poll(this->postgres_.now());
      return event.kind != RelayEventKind::none;
    }));
    return event;
  }
  std::vector<ports::LeasedStream> scan(const Relay& relay) {
    relay->scan(this->postgres_.now());
    const ports::RelayEvent event = next_of(relay);
    EXPECT_EQ(event.kind, RelayEventKind::scanned) << event.error;
    adopted_ += event.adopted;
    return {event.streams.begin(), event.streams.end()};
  }
  std::shared_ptr<const ports::RowBatch> read(const Relay& relay, std::uint64_t after,
                                              std::size_t rows_max = many,
                                              std::size_t bytes_max = many) {
    relay->read(stream, {after}, rows_max, bytes_max);
    const ports::RelayEvent event = next_of(relay);
    EXPECT_EQ(event.kind, RelayEventKind::rows) << event.error;
    return event.batch;
  }
  Seqs seqs_above(const Relay& relay, std::uint64_t after, std::size_t rows_max = many,
                  std::size_t bytes_max = many) {
    Seqs seqs;
    const auto batch = read(relay, after, rows_max, bytes_max);
    for (const ports::RelayRow& row : batch->rows())
      seqs.push_back(row.seq.value);
    return seqs;
  }
  void finish(const Relay& relay, std::uint64_t from, std::uint64_t through,
              const std::vector<ports::RelayDeadLetter>& dead = {}) {
    relay->finish(stream, {from}, {through}, dead);
    ASSERT_EQ(next_of(relay).kind, RelayEventKind::finished);
  }
  Seqs seqs_left() {
    Seqs seqs;
    for (const SeenRow& row : this->postgres_.rows())
      seqs.push_back(row.seq);
    return seqs;
  }

  std::uint32_t adopted_ = 0;
};
TYPED_TEST_SUITE(RelayContract, Postgreses);

TYPED_TEST(RelayContract, FindsNothingInAnEmptyOutbox) {
  const auto relay = this->start_relay();

  EXPECT_TRUE(this->scan(relay).empty());
}

TYPED_TEST(RelayContract, LeasesAStreamWithRows) {
  this->start_owner();
  this->write(rows_of(1, 5));
  const auto relay = this->start_relay();

  const auto leased = this->scan(relay);

  ASSERT_EQ(leased.size(), 1U);
  EXPECT_EQ(leased[0].id, stream);
  EXPECT_EQ(leased[0].written_through, Seq{5});
  EXPECT_EQ(leased[0].relayed_through, Seq{});
  EXPECT_TRUE(leased[0].is_new);
}

TYPED_TEST(RelayContract, SaysThatALeaseIsNotNewWhenItHadItBefore) {
  this->start_owner();
  this->write(rows_of(1, 5));
  const auto relay = this->start_relay();
  static_cast<void>(this->scan(relay));
  this->write(rows_of(6, 7));

  const auto leased = this->scan(relay);

  ASSERT_EQ(leased.size(), 1U);
  EXPECT_FALSE(leased[0].is_new);
  EXPECT_EQ(leased[0].written_through, Seq{7});
}

TYPED_TEST(RelayContract, GivesAStreamToOneRelayAtATime) {
  this->start_owner();
  this->write(rows_of(1, 5));
  auto first = this->start_relay();
  const auto second = this->start_relay();
  ASSERT_EQ(this->scan(first).size(), 1U);
  EXPECT_TRUE(this->scan(second).empty());

  first.reset();

  EXPECT_TRUE(this->postgres_.eventually([&] { return this->scan(second).size() == 1; }));
}

TYPED_TEST(RelayContract, GivesALeaseBackWhenItIsAskedTo) {
  this->start_owner();
  this->write(rows_of(1, 5));
  const auto first = this->start_relay();
  const auto second = this->start_relay();
  ASSERT_EQ(this->scan(first).size(), 1U);

  first->give_up(stream);
  ASSERT_EQ(this->next_of(first).kind, RelayEventKind::given_up);

  EXPECT_EQ(this->scan(second).size(), 1U);
}

TYPED_TEST(RelayContract, ReadsRowsAsTheyWereWritten) {
  this->start_owner();
  auto written = rows_of(1, 2);
  written[0].key = bytes_of("");
  written[0].headers = bytes_of("not parsed here");
  written[0].accepted_at = {1'700'000'000'123'456'000};
  written[0].event_time_ms = -7;
  written[0].resend = ResendCause::fatal;
  written[1].key = std::nullopt;
  written[1].payload = std::nullopt;
  written[1].renumbered_from = {1};
  this->write(written);
  const auto relay = this->start_relay();
  static_cast<void>(this->scan(relay));

  const auto batch = this->read(relay, 0);

  ASSERT_EQ(batch->rows().size(), 2U);
  const ports::RelayRow& first = batch->rows()[0];
  EXPECT_EQ(first.topic, "orders");
  EXPECT_TRUE(first.key && first.key->empty());
  EXPECT_EQ(test::text_of(*first.payload), "a payload");
  EXPECT_EQ(test::text_of(first.headers), "not parsed here");
  EXPECT_EQ(first.accepted_at.ns, 1'700'000'000'123'456'000);
  EXPECT_EQ(first.event_time_ms, -7);
  EXPECT_EQ(first.resend, ResendCause::fatal);
  EXPECT_FALSE(first.send_alone);
  const ports::RelayRow& second = batch->rows()[1];
  EXPECT_FALSE(second.key || second.payload || second.event_time_ms);
  EXPECT_EQ(second.renumbered_from, Seq{1});
  EXPECT_TRUE(second.send_alone);
}

TYPED_TEST(RelayContract, ReadsAboveItsCursorInOrderAndWithinItsBounds) {
  this->start_owner();
  this->write(rows_of(1, 10));
  const auto relay = this->start_relay();
  static_cast<void>(this->scan(relay));

  EXPECT_EQ(this->seqs_above(relay, 0, 4), (Seqs{1, 2, 3, 4}));
  EXPECT_EQ(this->seqs_above(relay, 4, 4), (Seqs{5, 6, 7, 8}));
  EXPECT_EQ(this->seqs_above(relay, 8, 4), (Seqs{9, 10}));
  EXPECT_EQ(this->seqs_above(relay, 10), Seqs{});
  EXPECT_EQ(this->seqs_above(relay, 0, many, 1), Seqs{1}) << "one row, however large";
}

TYPED_TEST(RelayContract, RemovesExactlyWhatIsFinished) {
  this->start_owner();
  this->write(rows_of(1, 10));
  const auto relay = this->start_relay();
  static_cast<void>(this->scan(relay));
  static_cast<void>(this->read(relay, 0));

  this->finish(relay, 0, 4);

  EXPECT_EQ(this->seqs_left(), (Seqs{5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(this->progress().relayed_through, Seq{4});
}

TYPED_TEST(RelayContract, MovesTheDeadAmongTheFinishedToTheDeadLetters) {
  this->start_owner();
  this->write(rows_of(1, 5));
  const auto relay = this->start_relay();
  static_cast<void>(this->scan(relay));
  static_cast<void>(this->read(relay, 0));

  this->finish(relay, 0, 4,
               {{.seq = {2}, .error = "too large"}, {.seq = {4}, .error = "no topic"}});

  EXPECT_EQ(this->seqs_left(), Seqs{5});
  EXPECT_EQ(this->postgres_.dead_letters(), (Letters{{2, "too large"}, {4, "no topic"}}));
}

TYPED_TEST(RelayContract, FindsAStreamNoMoreOnceItIsFinished) {
  this->start_owner();
  this->write(rows_of(1, 3));
  const auto relay = this->start_relay();
  static_cast<void>(this->scan(relay));
  static_cast<void>(this->read(relay, 0));

  this->finish(relay, 0, 3);

  EXPECT_TRUE(this->scan(relay).empty());
  EXPECT_EQ(this->progress().relayed_through, this->progress().written_through);
}

TYPED_TEST(RelayContract, PassesASeqThatNeverBecameARow) {
  this->start_owner();
  this->write(rows_of(1, 3, true));
  this->release(3);
  const auto relay = this->start_relay();
  ASSERT_EQ(this->scan(relay).size(), 1U) << "written and not passed, though no row is left";
  EXPECT_EQ(this->seqs_above(relay, 0), Seqs{});

  this->finish(relay, 0, 3);

  EXPECT_EQ(this->progress().relayed_through, Seq{3});
}

TYPED_TEST(RelayContract, LeavesOutAStreamThatItsLivingOwnerHolds) {
  this->start_owner();
  this->write(rows_of(1, 3, true));
  this->write(rows_of(4, 6));
  const auto relay = this->start_relay();

  EXPECT_TRUE(this->scan(relay).empty());
  this->release(3);

  EXPECT_EQ(this->scan(relay).size(), 1U);
  EXPECT_EQ(this->seqs_above(relay, 0), (Seqs{4, 5, 6}));
}

TYPED_TEST(RelayContract, ReadsNothingOfAStreamThatIsHeldSinceTheScan) {
  this->start_owner();
  this->write(rows_of(1, 1));
  const auto relay = this->start_relay();
  ASSERT_EQ(this->scan(relay).size(), 1U);
  ASSERT_EQ(this->seqs_above(relay, 0), Seqs{1});
  this->finish(relay, 0, 1);

  this->write(rows_of(2, 3, true));
  this->write(rows_of(4, 5));

  EXPECT_EQ(this->seqs_above(relay, 1), Seqs{}) << "nothing overtakes a held record";
}

TYPED_TEST(RelayContract, ReadsWhatStandsBeforeTheFirstHeldRow) {
  this->start_owner();
  this->write(rows_of(1, 2));
  const auto relay = this->start_relay();
  ASSERT_EQ(this->scan(relay).size(), 1U);

  this->write(rows_of(3, 3, true));
  this->write(rows_of(4, 4));

  EXPECT_EQ(this->seqs_above(relay, 0), (Seqs{1, 2})) << "a relay takes an empty read for the end";
}

TYPED_TEST(RelayContract, AdoptsTheHeldRowsOfADeadOwnerAfterTheGraceAndMarksThem) {
  this->start_owner();
  this->write(rows_of(1, 2, true));
  this->write(rows_of(3, 3));
  this->owner_.reset();
  const auto relay = this->start_relay();
  const core::Instant begun = this->postgres_.now();

  EXPECT_TRUE(this->scan(relay).empty()) << "it may come back";
  ASSERT_TRUE(this->postgres_.eventually([&] { return this->scan(relay).size() == 1; }));

  EXPECT_GE(this->postgres_.now() - begun, owner_grace);
  EXPECT_EQ(this->adopted_, 1U);
  EXPECT_EQ(this->postgres_.rows(), (Rows{{1, false, ResendCause::recovery},
                                          {2, false, ResendCause::recovery},
                                          {3, false, ResendCause::none}}));
  EXPECT_EQ(this->seqs_above(relay, 0), (Seqs{1, 2, 3}));
}

TYPED_TEST(RelayContract, MarksWhatTheFormerHolderWasGiven) {
  this->start_owner();
  auto written = rows_of(1, 6);
  written[2].resend = ResendCause::recovery;
  this->write(written);
  auto former = this->start_relay();
  ASSERT_EQ(this->scan(former).size(), 1U);
  ASSERT_EQ(this->seqs_above(former, 0, 4), (Seqs{1, 2, 3, 4}));
  this->finish(former, 0, 1);
  former.reset();

  const auto relay = this->start_relay();
  ASSERT_TRUE(this->postgres_.eventually([&] { return this->scan(relay).size() == 1; }));

  EXPECT_EQ(this->postgres_.rows(), (Rows{{2, false, ResendCause::lease},
                                          {3, false, ResendCause::recovery},
                                          {4, false, ResendCause::lease},
                                          {5, false, ResendCause::none},
                                          {6, false, ResendCause::none}}));
}

TYPED_TEST(RelayContract, MarksNothingWhenTheFormerHolderFinishedWhatItWasGiven) {
  this->start_owner();
  this->write(rows_of(1, 6));
  auto former = this->start_relay();
  ASSERT_EQ(this->scan(former).size(), 1U);
  ASSERT_EQ(this->seqs_above(former, 0, 3), (Seqs{1, 2, 3}));
  this->finish(former, 0, 3);
  former.reset();

  const auto relay = this->start_relay();
  ASSERT_TRUE(this->postgres_.eventually([&] { return this->scan(relay).size() == 1; }));

  for (const SeenRow& row : this->postgres_.rows())
    EXPECT_EQ(row.resend, ResendCause::none);
}

}  // namespace
}  // namespace spillway::contract
