// src/runtime/pipeline_impl.hpp: everything a pipeline owns; member order is lifetime.

#pragma once

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "adapters/postgres/pg_outbox.hpp"
#include "adapters/redis/redis_wakeup.hpp"
#include "handoff/arrow.hpp"
#include "handoff/counters.hpp"
#include "handoff/hand_off.hpp"
#include "handoff/topic_directory.hpp"
#include "journal/journal.hpp"
#include "journal/recovery.hpp"
#include "loops/lane_loop.hpp"
#include "loops/writer_loop.hpp"
#include "runtime/housekeeper.hpp"
#include "runtime/log.hpp"
#include "runtime/publishers.hpp"
#include "runtime/rates.hpp"
#include "runtime/relay_runner.hpp"
#include "runtime/thread.hpp"
#include "runtime/wakeup_fan.hpp"
#include "spillway/pipeline.hpp"

namespace spillway {

struct Pipeline::Impl {
  explicit Impl(const Config& settings);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  [[nodiscard]] Topic topic(std::string_view name);
  [[nodiscard]] Outcome look_up(const Ticket& ticket) const noexcept;
  [[nodiscard]] bool is_settled_below(core::Stamp stamp) const noexcept;
  [[nodiscard]] std::uint64_t in_flight() const noexcept;
  bool close(Deadline deadline) noexcept;
  [[nodiscard]] Metrics counters() const;
  [[nodiscard]] Metrics metrics() const;

  /// One lane's thread, its arrows and counters.
  struct Lane {
    handoff::Arrow<loops::WriterJob> to_writer;
    handoff::Arrow<loops::WriterReport> from_writer;
    handoff::LaneCounters counters;
    runtime::BrokerDesk brokers;
    std::unique_ptr<loops::LaneLoop> loop;
  };

  const Config config;
  runtime::CallbackLog log;
  journal::Journal journal;
  journal::Recovered recovered;
  std::uint64_t records_recovered = 0;
  std::vector<std::unique_ptr<handoff::HandOff>> hand_offs;  // by lane
  runtime::PublisherSlots slots;
  runtime::PublishSide publish_side;

  handoff::TopicDirectory directory;
  runtime::TopicDesk topic_desk;
  std::mutex
      topics_mutex;  // topic() alone: add_topic() is for one at a time, a question's arrow too
  runtime::Housekeeper housekeeper;

  std::vector<std::unique_ptr<Lane>> lanes;
  handoff::WriterCounters writer_counters;
  postgres::PgOutbox store;
  redis::RedisSender tokens;
  runtime::WakeupFan wakeups;
  std::unique_ptr<loops::WriterLoop> writer;
  std::unique_ptr<runtime::RelayRunner> relay;  // null: another process's

  runtime::Rates rates;
  std::unique_ptr<runtime::Thread> writer_thread;
  std::vector<std::unique_ptr<runtime::Thread>> lane_threads;
  bool stopped = false;
  bool left_nothing = false;

 private:
  [[nodiscard]] std::size_t settle_lane_count();
  void make_lanes(std::size_t count);
  void start();
  void wait_until_warm();
  void run_lane(Lane& lane, const std::stop_token& stop);
  void run_writer(const std::stop_token& stop);
  [[nodiscard]] runtime::Outcomes outcomes() const noexcept;
  /// Of a topic that the lanes use and that exists; else nothing is said. @thread any
  [[nodiscard]] handoff::TopicFacts facts_of(std::string_view topic) const noexcept;
  void stop() noexcept;
};

}  // namespace spillway
