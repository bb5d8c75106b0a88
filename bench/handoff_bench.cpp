// bench/handoff_bench.cpp: the arrow from publishers to a lane, against a bare ConcurrentQueue and
// a deque under a mutex; and the merge that puts publishers in order, against a sort.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <latch>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <benchmark/benchmark.h>
#include <concurrentqueue/concurrentqueue.h>

#include "core/stamp_merge.hpp"
#include "costs.hpp"
#include "cycles.hpp"
#include "handoff/hand_off.hpp"
#include "readings.hpp"

namespace spillway::bench {
namespace {

using core::HandedOver;
using core::Stamp;

constexpr std::size_t batch = 4'096;  // records of each publisher, sent before they are taken
constexpr std::size_t at_once = 1'024;
constexpr Stamp for_ever{~std::uint64_t{0}};

// ---- The three ways; `take` answers how many came out, and leaves them in no order but its own
// ----

class OurHandOff {
 public:
  static constexpr const char* name = "spillway:HandOff";

  class Sender {
   public:
    explicit Sender(OurHandOff& to) : sender_{to.hand_off_} {}
    void send(HandedOver record) { sender_.send(record); }

   private:
    handoff::HandOff::Sender sender_;
  };

  std::size_t take() {
    hand_off_.drain_into(merge_);
    merge_.merge(for_ever);
    const std::size_t count = merge_.ready().size();
    merge_.clear_ready();
    return count;
  }

 private:
  handoff::HandOff hand_off_{std::size_t{1} << 16};
  core::StampMerge merge_;
};

class BareQueue {
 public:
  static constexpr const char* name = "baseline:ConcurrentQueue";

  class Sender {
   public:
    explicit Sender(BareQueue& to) : queue_{&to.queue_}, token_{to.queue_} {}
    void send(HandedOver record) { benchmark::DoNotOptimize(queue_->enqueue(token_, record)); }

   private:
    moodycamel::ConcurrentQueue<HandedOver>* queue_;
    moodycamel::ProducerToken token_;
  };

  std::size_t take() {
    std::size_t taken = 0;
    while (const std::size_t count = queue_.try_dequeue_bulk(room_.data(), room_.size()))
      taken += count;
    return taken;
  }

 private:
  moodycamel::ConcurrentQueue<HandedOver> queue_{std::size_t{1} << 16};
  std::array<HandedOver, at_once> room_{};
};

class LockedDeque {
 public:
  static constexpr const char* name = "baseline:mutex+deque";

  class Sender {
   public:
    explicit Sender(LockedDeque& to) : to_{&to} {}
    void send(HandedOver record) {
      const std::lock_guard lock{to_->mutex_};
      to_->records_.push_back(record);
    }

   private:
    LockedDeque* to_;
  };

  std::size_t take() {
    std::deque<HandedOver> taken;
    {
      const std::lock_guard lock{mutex_};
      taken.swap(records_);
    }
    for (const HandedOver& record : taken)
      benchmark::DoNotOptimize(record.record.value);
    return taken.size();
  }

 private:
  std::mutex mutex_;
  std::deque<HandedOver> records_;
};

std::int64_t total_of(const benchmark::State& state, std::size_t each) {
  return state.iterations() * static_cast<std::int64_t>(each);
}

// ---- Sending alone: what a publisher pays ----

template <class Way>
void send(benchmark::State& state) {
  const auto way = std::make_unique<Way>();
  typename Way::Sender sender{*way};
  std::uint64_t stamp = 0;
  const auto send_batch = [&] {
    for (std::size_t i = 0; i < batch; ++i) {
      ++stamp;
      sender.send({.stamp = {stamp}, .record = {stamp}});
    }
  };
  Readings readings{batch, static_cast<std::size_t>(state.max_iterations)};
  send_batch();  // the blocks and the room of the first time
  benchmark::DoNotOptimize(way->take());

  for (const auto running : state) {
    static_cast<void>(running);
    const std::uint64_t begun = read_cycles();
    send_batch();
    readings.add(state, begun, read_cycles());
    if (way->take() != batch) state.SkipWithError("records were lost");
  }
  readings.report(state, "p50", 0.50);
}

// ---- From publishers to a lane that takes all the time ----

constexpr std::size_t sent_by_each = 16 * batch;

/// All that `publishers` send, taken by this thread; from before the first is sent until the last
/// is taken.
template <class Way>
void transfer_once(Way& way, std::size_t publishers, std::uint64_t& begun, std::uint64_t& ended) {
  std::latch ready{static_cast<std::ptrdiff_t>(publishers)};
  std::latch start{1};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < publishers; ++i) {
    threads.emplace_back([&way, &ready, &start] {
      typename Way::Sender sender{way};
      ready.count_down();
      start.wait();
      std::uint64_t stamp = 0;
      for (std::size_t n = 0; n < sent_by_each; ++n) {
        // The time, read so seldom that it is not what is measured.
        stamp = n % 64 == 0 ? std::max(stamp + 1, read_cycles()) : stamp + 1;
        sender.send({.stamp = {stamp}, .record = {n}});
      }
    });
  }
  ready.wait();
  begun = read_cycles();
  start.count_down();
  for (std::size_t taken = 0; taken < publishers * sent_by_each;) {
    const std::size_t count = way.take();
    taken += count;
    if (count == 0) std::this_thread::yield();  // as a lane does
  }
  ended = read_cycles();
}

template <class Way>
void transfer(benchmark::State& state, std::size_t publishers) {
  const auto way = std::make_unique<Way>();
  Readings readings{publishers * sent_by_each, static_cast<std::size_t>(state.max_iterations)};
  std::uint64_t begun = 0;
  std::uint64_t ended = 0;
  transfer_once(*way, publishers, begun, ended);  // meets its memory
  for (const auto running : state) {
    static_cast<void>(running);
    transfer_once(*way, publishers, begun, ended);
    readings.add(state, begun, ended);
  }
  readings.report(state, "p50", 0.50);
}

// ---- The merge ----

/// What a drain finds: each publisher's run in its own order, the stamps of all interleaved.
std::vector<HandedOver> runs_of(std::size_t publishers) {
  std::vector<HandedOver> found;
  for (std::size_t publisher = 0; publisher < publishers; ++publisher) {
    for (std::size_t n = 0; n < batch / publishers; ++n)
      found.push_back({.stamp = {n * publishers + publisher + 1}, .record = {n}});
  }
  return found;
}

void merge_runs(benchmark::State& state, std::size_t publishers) {
  const std::vector<HandedOver> found = runs_of(publishers);
  core::StampMerge merge;
  static_cast<void>(merge.room(batch));
  Costs costs;
  for (const auto running : state) {
    static_cast<void>(running);
    std::ranges::copy(found, merge.room(found.size()).begin());
    merge.take(found.size());
    merge.merge(for_ever);
    benchmark::DoNotOptimize(merge.ready().data());
    merge.clear_ready();
  }
  costs.report(state, static_cast<std::uint64_t>(total_of(state, found.size())));
  state.SetItemsProcessed(total_of(state, found.size()));
}

void sort_runs(benchmark::State& state, std::size_t publishers) {
  const std::vector<HandedOver> found = runs_of(publishers);
  std::vector<HandedOver> sorted(found.size());
  for (const auto running : state) {
    static_cast<void>(running);
    std::ranges::copy(found, sorted.begin());
    std::ranges::sort(sorted, {}, &HandedOver::stamp);
    benchmark::DoNotOptimize(sorted.data());
  }
  state.SetItemsProcessed(total_of(state, found.size()));
}

// ---- What is measured ----

template <class... Ways>
void compare() {
  const auto add = []<class Way>(std::type_identity<Way> /*way*/) {
    benchmark::RegisterBenchmark((std::string{"send/"} + Way::name).c_str(), send<Way>)
        ->UseManualTime();
    for (const std::size_t publishers : {1U, 2U, 4U}) {
      const std::string name = "transfer, publishers " + std::to_string(publishers) + "/";
      benchmark::RegisterBenchmark(
          (name + Way::name).c_str(),
          [publishers](benchmark::State& state) { transfer<Way>(state, publishers); })
          ->Iterations(9)
          ->UseManualTime();
    }
  };
  (add(std::type_identity<Ways>{}), ...);
}

void register_all() {
  compare<OurHandOff, BareQueue, LockedDeque>();
  for (const std::size_t publishers : {1U, 2U, 8U}) {
    const std::string name = "merge, publishers " + std::to_string(publishers) + "/";
    benchmark::RegisterBenchmark(
        (name + "spillway:StampMerge").c_str(),
        [publishers](benchmark::State& state) { merge_runs(state, publishers); });
    benchmark::RegisterBenchmark(
        (name + "baseline:std::sort").c_str(),
        [publishers](benchmark::State& state) { sort_runs(state, publishers); });
  }
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  spillway::bench::register_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
