// src/handoff/counters.hpp: numbers that one thread writes and any reads.
//
// Relaxed throughout: each number is true by itself; two of them are of slightly different moments.
// What must be seen together travels by an arrow.

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/histogram.hpp"

namespace spillway::handoff {

/// One writer; no read-modify-write.
class Counter {
 public:
  void add(std::uint64_t count) noexcept { set(get() + count); }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// core/histogram's buckets, one writer.
class SharedHistogram {
 public:
  void record(std::uint64_t ns) noexcept {
    counts_[core::bucket_of(ns)].add(1);
    sum_.add(ns);
    if (ns > max_.get()) max_.set(ns);
  }
  /// Adds this one's counts to `counts`, which has core::histogram_buckets elements.
  void add_to(std::vector<std::uint64_t>& counts, std::uint64_t& sum, std::uint64_t& max) const {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      counts[i] += counts_[i].get();
    sum += sum_.get();
    max = std::max(max, max_.get());
  }

 private:
  std::vector<Counter> counts_ = std::vector<Counter>(core::histogram_buckets);
  Counter sum_;
  Counter max_;
};

/// Written by one lane's thread.
struct alignas(64) LaneCounters {
  Counter state;  ///< A LaneState.
  Counter state_since_ns;
  Counter accepted;
  Counter delivered;
  Counter spilled;
  Counter dead_lettered;
  Counter freed;  ///< Records whose journal space was given back.
  Counter held;
  Counter held_copies;
  Counter trips;
  Counter recalls;
  Counter renumbered;
  Counter marked;
  Counter outbox_depth;
  Counter settled_below;  ///< Everything stamped before it is settled.
  Counter broker_up;
  Counter producer_warm;
  Counter last_failover_ns;
  Counter last_return_ns;
  SharedHistogram ack;
};

/// Written by one publisher's thread.
struct alignas(64) PublisherCounters {
  Counter accepted;
  Counter journal_full;
  Counter too_large;
  SharedHistogram publish;
};

/// Written by the writer's thread.
struct alignas(64) WriterCounters {
  Counter postgres_up;
  Counter redis_up;
};

/// Written by the relay's thread.
struct alignas(64) RelayCounters {
  Counter running;
  Counter acked;
  Counter relayed;
  Counter dead_lettered;
  Counter marked;
  Counter wakeups;
  Counter scans;
  Counter leases;
  Counter adoptions;
  Counter interval_ns;
  Counter fatal_errors;
  Counter depth;
  Counter broker_up;
  Counter postgres_up;
  Counter redis_up;
  SharedHistogram delay_kafka_up;
  SharedHistogram delay_all;
};

}  // namespace spillway::handoff
