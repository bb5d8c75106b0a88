// tests/unit/handoff/hand_off_stress_test.cpp: order among many threads, and what it hangs on (P1,
// P2).
//
// A baton goes from thread to thread; who has it publishes, then passes it on: each of these
// publish() returned before the next one began. Between two turns a thread also publishes what
// nobody waits for. The lane numbers meanwhile, on a thread of its own.

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/stamp_merge.hpp"
#include "handoff/hand_off.hpp"
#include "runtime/clock.hpp"

namespace spillway::handoff {
namespace {

using core::HandedOver;
using core::Stamp;
using core::StampMerge;

#ifdef __SANITIZE_THREAD__
constexpr std::uint64_t scale = 20;  // so much slower is every access
#else
constexpr std::uint64_t scale = 1;
#endif

std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

/// What is handed over in place of a journal's offset.
struct Label {
  std::uint64_t publisher = 0;  ///< 8 bits.
  std::uint64_t number = 0;     ///< 28 bits: of its publisher, from 0.
  std::uint64_t turn = 0;       ///< 28 bits: of the baton, from 1; 0: published between turns.

  [[nodiscard]] std::uint64_t packed() const { return (publisher << 56U) | (number << 28U) | turn; }
  static Label of(std::uint64_t packed) {
    constexpr std::uint64_t field = (std::uint64_t{1} << 28U) - 1;
    return {.publisher = packed >> 56U, .number = (packed >> 28U) & field, .turn = packed & field};
  }
};

/// As production orders: by a stamp of the clock, what is younger than the drain waits.
struct ByStamp {
  class Stamper {
   public:
    Stamp next() { return last_ = {std::max(runtime::stamp_now().value, last_.value + 1)}; }

   private:
    Stamp last_;
  };
  static Stamp drained_at(runtime::FencedClock& clock) {
    return {static_cast<std::uint64_t>(clock.now().time_since_epoch().count())};
  }
};

/// The queue alone: all stamps are equal, so the merge leaves the order in which it was drained.
struct AsDrained {
  struct Stamper {
    static Stamp next() { return {}; }
  };
  static Stamp drained_at(runtime::FencedClock& /*clock*/) { return {1}; }
};

struct Seen {
  std::uint64_t out_of_turn = 0;  ///< Behind a later turn of the baton.
  std::uint64_t behind_own = 0;   ///< Not the next one of its publisher.
  std::uint64_t records = 0;
  std::uint64_t published = 0;
};

template <class Order>
class Stress {
 public:
  Stress(std::uint64_t publishers, std::uint64_t turns) : publishers_{publishers}, turns_{turns} {}

  Seen run() {
    std::atomic<std::uint64_t> living{publishers_};
    std::vector<std::jthread> threads;
    for (std::uint64_t who = 0; who < publishers_; ++who) {
      threads.emplace_back([this, who, &living] {
        publish(who);
        living.fetch_sub(1, std::memory_order_release);
      });
    }
    while (living.load(std::memory_order_acquire) != 0) {
      turn();
      if (mix(seen_.records) % 4 == 0) std::this_thread::yield();
    }
    seen_.published = published_.load();
    while (merge_.size() != 0 || seen_.records != seen_.published) {
      const std::uint64_t before = seen_.records;
      turn();
      if (merge_.size() == 0 && seen_.records == before) break;  // the rest is lost
    }
    return seen_;
  }

 private:
  void publish(std::uint64_t who) {
    HandOff::Sender sender{hand_off_};
    typename Order::Stamper stamper;
    std::uint64_t number = 0;
    std::uint64_t between_left = turns_ / 4;
    std::uint64_t chance = mix(who + 1);
    const auto send = [&](std::uint64_t turn) {
      const Label label{.publisher = who, .number = number++, .turn = turn};
      sender.send({.stamp = stamper.next(), .record = {label.packed()}});
    };
    while (true) {
      const std::uint64_t turn = baton_.load(std::memory_order_acquire);
      if (turn > turns_) break;
      chance = mix(chance + turn);
      // The same thread for some turns, then any: each exchange costs the scheduler.
      if (mix(turn / 32) % publishers_ == who) {
        send(turn);
        if (chance % 8 == 0) std::this_thread::yield();
        baton_.store(turn + 1, std::memory_order_release);
      } else if (chance % 16 == 0 && between_left != 0) {
        send(0);
        --between_left;
      } else {
        std::this_thread::yield();
      }
    }
    published_.fetch_add(number);
  }

  void turn() {
    const Stamp drained_at = Order::drained_at(clock_);
    hand_off_.drain_into(merge_);
    merge_.merge(drained_at);
    for (const HandedOver& one : merge_.ready()) {
      const Label label = Label::of(one.record.value);
      if (label.number != next_number_[label.publisher]++) ++seen_.behind_own;
      if (label.turn != 0 && label.turn != ++last_turn_) {
        ++seen_.out_of_turn;
        last_turn_ = label.turn;
      }
      ++seen_.records;
    }
    merge_.clear_ready();
  }

  const std::uint64_t publishers_;
  const std::uint64_t turns_;
  HandOff hand_off_{100'000};
  alignas(64) std::atomic<std::uint64_t> baton_{1};
  alignas(64) std::atomic<std::uint64_t> published_{0};
  // The lane's.
  runtime::FencedClock clock_;
  StampMerge merge_;
  std::array<std::uint64_t, 256> next_number_{};
  std::uint64_t last_turn_ = 0;
  Seen seen_;
};

class HandOffStress : public testing::TestWithParam<std::uint64_t> {};

TEST_P(HandOffStress, KeepsCausalOrderAcrossThreads) {
  // Threads that wait for a turn cost the others time.
  const std::uint64_t turns = 200'000 / GetParam() / scale;

  const Seen seen = Stress<ByStamp>{GetParam(), turns}.run();

  EXPECT_EQ(seen.out_of_turn, 0U);
  EXPECT_EQ(seen.behind_own, 0U);
  EXPECT_GE(seen.records, turns);
  EXPECT_EQ(seen.records, seen.published);
}
INSTANTIATE_TEST_SUITE_P(Publishers, HandOffStress, testing::Values(1, 2, 3, 8),
                         testing::PrintToStringParamName());

// That the test above can fail, and that the order is not the queue's own.
TEST(HandOffOfAPlainQueue, KeepsNoOrderAcrossPublishers) {
  const Seen seen = Stress<AsDrained>{3, 20'000}.run();

  EXPECT_GT(seen.out_of_turn, 0U);
  EXPECT_EQ(seen.behind_own, 0U) << "each publisher's own order is the queue's promise";
  EXPECT_EQ(seen.records, seen.published);
}

}  // namespace
}  // namespace spillway::handoff
