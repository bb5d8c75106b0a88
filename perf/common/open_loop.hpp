// perf/common/open_loop.hpp: from the moment due to the ack, at a fixed rate, for both sides.
//
// One thread sends what is due and, in between, looks for acks, the same way and as often for
// either side: at Spillway's tickets, and by polling the raw client. So an ack is seen up to one
// look late, on both sides alike. One partition: acks come in the order of sending, and the oldest
// message tells of all.

#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "perf/common/our_side.hpp"
#include "perf/common/pacer.hpp"
#include "perf/common/pairs.hpp"
#include "perf/common/raw_producer.hpp"
#include "perf/common/run_topic.hpp"
#include "perf/common/workload.hpp"
#include "spillway/publisher.hpp"
#include "tools/spillway/histogram.hpp"

namespace spillway::perf {

struct OpenLoopReading {
  program::Histogram ack;          ///< Due → ack seen.
  program::Histogram start_delay;  ///< Due → the call.
};

class OpenLoop {
 public:
  /// Opens both sides. @throws StartError, program::CommandError
  OpenLoop(const Config& config, Clock::duration look_every);

  /// Nothing when the rate was not held, or a message took another way than straight to Kafka;
  /// void_reason() says which. @blocks until the last ack
  /// @throws program::CommandError when there is none
  [[nodiscard]] std::optional<OpenLoopReading> run(Side side, double per_second, double seconds);

  [[nodiscard]] const std::string& void_reason() const noexcept { return void_reason_; }

 private:
  struct Pace {
    Pacer pacer;
    std::uint64_t messages = 0;
    double per_second = 0;
  };
  template <class Send, class Look>
  void send_all(const Pace& pace, OpenLoopReading& reading, Send send, Look look);
  void publish_all(const Pace& pace, OpenLoopReading& reading);
  void send_all_raw(const Pace& pace, OpenLoopReading& reading);

  Content content_;
  Clock::duration look_every_;
  RunTopic run_topic_;
  OurSide ours_;
  Publisher publisher_;
  std::deque<std::pair<Ticket, Clock::time_point>> unsettled_;  ///< With the moment due.
  program::Histogram* raw_acks_ = nullptr;                      ///< Of the slice under way.
  RawProducer raw_;
  std::string void_reason_;
};

}  // namespace spillway::perf
