// tests/contract/outbox_store_test.cpp: what ports/outbox_store.hpp says, of both outboxes.

#include "ports/outbox_store.hpp"

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
using ports::StoreEventKind;
using ports::Unfinished;
using Rows = std::vector<SeenRow>;
using Letters = std::vector<SeenLetter>;

template <class Postgres>
using OutboxContract = WithOwner<Postgres>;
TYPED_TEST_SUITE(OutboxContract, Postgreses);

TYPED_TEST(OutboxContract, IsIdleOnceConnectedAndBusyWithATransaction) {
  this->owner_ = this->postgres_.outbox();
  EXPECT_FALSE(this->owner_->is_idle());
  ASSERT_EQ(this->next_of_owner(), StoreEventKind::connected);
  EXPECT_TRUE(this->owner_->is_idle());

  this->owner_->read_progress();
  EXPECT_FALSE(this->owner_->is_idle());
  ASSERT_EQ(this->next_of_owner(), StoreEventKind::progress);

  EXPECT_TRUE(this->owner_->is_idle());
}

TYPED_TEST(OutboxContract, HasTheRowsWhenItSaysCommitted) {
  this->start_owner();
  auto written = rows_of(1, 3);
  written[0].held = true;
  written[1].resend = ResendCause::recovery;

  this->write(written);

  EXPECT_EQ(this->postgres_.rows(), (Rows{{1, true, ResendCause::none},
                                          {2, false, ResendCause::recovery},
                                          {3, false, ResendCause::none}}));
}

TYPED_TEST(OutboxContract, RaisesWhatItHasWrittenAndHolds) {
  this->start_owner();
  this->write(rows_of(1, 5, true));
  this->write(rows_of(6, 9));

  const ports::StreamState state = this->progress();

  EXPECT_EQ(state.lane, lane);
  EXPECT_EQ(state.written_through, Seq{9});
  EXPECT_EQ(state.held_through, Seq{5});
  EXPECT_EQ(state.relayed_through, Seq{});
}

TYPED_TEST(OutboxContract, DeletesTheHeldRowsWithTheReleaseAndNoOther) {
  this->start_owner();
  this->write(rows_of(1, 5, true));
  this->write(rows_of(6, 7));

  this->release(5);

  EXPECT_EQ(this->postgres_.rows(),
            (Rows{{6, false, ResendCause::none}, {7, false, ResendCause::none}}));
  EXPECT_EQ(this->progress().held_through, Seq{});
  EXPECT_EQ(this->progress().written_through, Seq{7});
}

TYPED_TEST(OutboxContract, ResolvesEachUnfinishedRowByItsFate) {
  this->start_owner();
  this->write(rows_of(1, 4, true));
  const std::vector<Unfinished> unfinished{{.seq = {2}},
                                           {.seq = {3}, .resend = ResendCause::fatal},
                                           {.seq = {4}, .dead_letter_error = "too large"}};

  this->release(4, unfinished);

  EXPECT_EQ(this->postgres_.rows(),
            (Rows{{2, false, ResendCause::none}, {3, false, ResendCause::fatal}}));
  EXPECT_EQ(this->postgres_.dead_letters(), (Letters{{4, "too large"}}));
}

TYPED_TEST(OutboxContract, MayReleaseTwice) {
  this->start_owner();
  this->write(rows_of(1, 3, true));
  const std::vector<Unfinished> unfinished{{.seq = {2}, .resend = ResendCause::fatal},
                                           {.seq = {3}, .dead_letter_error = "too large"}};
  this->release(3, unfinished);

  this->release(3, unfinished);

  EXPECT_EQ(this->postgres_.rows(), (Rows{{2, false, ResendCause::fatal}}));
  EXPECT_EQ(this->postgres_.dead_letters(), (Letters{{3, "too large"}}));
}

TYPED_TEST(OutboxContract, MakesTheHeldRowsOfAFormerLifeOrdinaryAndMarksThem) {
  this->start_owner();
  this->write(rows_of(1, 2, true));
  this->write(rows_of(3, 3));

  this->owner_->release_unknown(lane);
  ASSERT_EQ(this->next_of_owner(), StoreEventKind::committed);

  EXPECT_EQ(this->postgres_.rows(), (Rows{{1, false, ResendCause::recovery},
                                          {2, false, ResendCause::recovery},
                                          {3, false, ResendCause::none}}));
  EXPECT_EQ(this->progress().held_through, Seq{});
}

TYPED_TEST(OutboxContract, LeavesALetterThatItHasAlreadyAsItIs) {
  this->start_owner();
  const auto rows = rows_of(7, 8);
  const std::vector<ports::DeadLetterRow> first{{rows[0], "the first error"}};
  const std::vector<ports::DeadLetterRow> again{{rows[0], "another error"}, {rows[1], "new"}};
  this->owner_->write_dead_letters(lane, first);
  ASSERT_EQ(this->next_of_owner(), StoreEventKind::committed);

  this->owner_->write_dead_letters(lane, again);
  ASSERT_EQ(this->next_of_owner(), StoreEventKind::committed);

  EXPECT_EQ(this->postgres_.dead_letters(), (Letters{{7, "the first error"}, {8, "new"}}));
  EXPECT_TRUE(this->postgres_.rows().empty());
}

TYPED_TEST(OutboxContract, TellsASecondSessionEverythingAndEndsTheFirst) {
  this->start_owner();
  this->write(rows_of(1, 5, true));
  auto former = std::exchange(this->owner_, nullptr);

  this->start_owner();

  ASSERT_EQ(this->streams_.size(), 1U);
  EXPECT_EQ(this->streams_[0].written_through, Seq{5});
  EXPECT_EQ(this->streams_[0].held_through, Seq{5});
  EXPECT_TRUE(this->postgres_.eventually(
      [&] { return former->poll(this->postgres_.now()).kind == StoreEventKind::lost; }));
}

TYPED_TEST(OutboxContract, TakesRowsOfEverySize) {
  this->start_owner();
  auto written = rows_of(1, 3);
  const std::string large(900'000, 'x');
  written[0].payload = bytes_of(large);
  written[1].payload = std::nullopt;
  written[2].key = bytes_of("");

  this->write(written);

  EXPECT_EQ(this->postgres_.rows().size(), 3U);
}

}  // namespace
}  // namespace spillway::contract
