// tests/unit/handoff/hand_off_test.cpp: many publishers, one lane, one order (P1, P2).

#include "handoff/hand_off.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace spillway::handoff {
namespace {

using core::HandedOver;
using core::StampMerge;

/// CLOCK_MONOTONIC, as publishers and lanes read it. No later load is older than the reading.
std::uint64_t clock_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

/// A publisher's own rule: never less than its last stamp + 1.
class Stamper {
 public:
  std::uint64_t next() { return last_ = std::max(clock_ns(), last_ + 1); }

 private:
  std::uint64_t last_ = 0;
};

std::vector<std::uint64_t> take_ready(StampMerge& merge) {
  std::vector<std::uint64_t> records;
  for (const HandedOver& one : merge.ready())
    records.push_back(one.record.value);
  merge.clear_ready();
  return records;
}

/// One turn of a lane.
std::vector<std::uint64_t> turn(HandOff& hand_off, StampMerge& merge) {
  const std::uint64_t drained_at = clock_ns();
  hand_off.drain_into(merge);
  merge.merge({drained_at});
  return take_ready(merge);
}

TEST(HandOff, KeepsEachPublishersOrderAndMergesThemByStamp) {
  HandOff hand_off{1'000};
  HandOff::Sender first{hand_off};
  HandOff::Sender second{hand_off};
  first.send({.stamp = {10}, .record = {1}});
  first.send({.stamp = {30}, .record = {3}});
  second.send({.stamp = {20}, .record = {2}});
  StampMerge merge;

  hand_off.drain_into(merge);
  merge.merge({100});

  EXPECT_EQ(take_ready(merge), (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(HandOff, DrainsEverythingThatWasSentBefore) {
  HandOff hand_off{100};
  std::vector<std::unique_ptr<HandOff::Sender>> senders;
  for (int i = 0; i < 20; ++i)
    senders.push_back(std::make_unique<HandOff::Sender>(hand_off));
  std::uint64_t sent = 0;
  for (int round = 0; round < 500; ++round) {
    for (const auto& sender : senders)
      sender->send({.stamp = {++sent}, .record = {sent}});
  }
  StampMerge merge;

  hand_off.drain_into(merge);

  EXPECT_EQ(merge.size(), sent);
}

TEST(HandOff, KeepsWhatASenderSentThatIsGone) {
  HandOff hand_off{100};
  {
    HandOff::Sender gone{hand_off};
    gone.send({.stamp = {1}, .record = {1}});
  }
  HandOff::Sender next{hand_off};
  next.send({.stamp = {2}, .record = {2}});
  StampMerge merge;

  hand_off.drain_into(merge);
  merge.merge({3});

  EXPECT_EQ(take_ready(merge), (std::vector<std::uint64_t>{1, 2}));
}

// Two threads take turns through a flag: each publish() returned before the next one began, so the
// lane must number them in exactly this order.
TEST(HandOff, PutsACausalChainAcrossThreadsInOrder) {
  constexpr std::uint64_t rounds = 20'000;
  HandOff hand_off{rounds};
  std::atomic<std::uint64_t> whose{0};
  const auto publish_every_second = [&](std::uint64_t first) {
    HandOff::Sender sender{hand_off};
    Stamper stamper;
    for (std::uint64_t n = first; n < rounds; n += 2) {
      while (whose.load(std::memory_order_acquire) != n)
        std::this_thread::yield();
      sender.send({.stamp = {stamper.next()}, .record = {n}});
      whose.store(n + 1, std::memory_order_release);
    }
  };
  std::jthread even{publish_every_second, 0};
  std::jthread odd{publish_every_second, 1};

  StampMerge merge;
  std::uint64_t expected = 0;
  while (expected < rounds) {
    for (const std::uint64_t record : turn(hand_off, merge))
      ASSERT_EQ(record, expected++);
    std::this_thread::yield();
  }
}

// Publishers that know nothing of each other: nothing lost, nothing twice, each in its own order.
// The stamps may go back: who was preempted between stamp and enqueue had not returned, so no order
// was owed.
TEST(HandOff, LosesNothingUnderManyPublishers) {
  constexpr std::uint64_t publishers = 8;
  constexpr std::uint64_t records_each = 20'000;
  HandOff hand_off{publishers * records_each};
  std::vector<std::jthread> threads;
  for (std::uint64_t who = 0; who < publishers; ++who) {
    threads.emplace_back([&hand_off, who] {
      HandOff::Sender sender{hand_off};
      Stamper stamper;
      for (std::uint64_t n = 0; n < records_each; ++n) {
        sender.send({.stamp = {stamper.next()}, .record = {who * records_each + n}});
        if (n % 97 == who) std::this_thread::yield();
      }
    });
  }

  StampMerge merge;
  std::vector<std::uint64_t> next(publishers, 0);
  std::uint64_t seen = 0;
  while (seen < publishers * records_each) {
    const std::uint64_t drained_at = clock_ns();
    hand_off.drain_into(merge);
    merge.merge({drained_at});
    for (const HandedOver& one : merge.ready()) {
      ASSERT_EQ(one.record.value % records_each, next[one.record.value / records_each]++);
      ++seen;
    }
    merge.clear_ready();
  }
}

}  // namespace
}  // namespace spillway::handoff
