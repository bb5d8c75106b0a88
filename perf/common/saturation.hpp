// perf/common/saturation.hpp: how many messages a second each side gets acked, and what they cost.
//
// Closed loop: publishers send as fast as they can, and wait where there is no room. A slice is so
// many messages, from the first call to the last report; both sides send to one topic, in turns.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "perf/common/our_side.hpp"
#include "perf/common/pairs.hpp"
#include "perf/common/raw_producer.hpp"
#include "perf/common/run_topic.hpp"
#include "perf/common/workload.hpp"
#include "spillway/pipeline.hpp"

namespace spillway::perf {

struct Throughput {
  double per_second = 0;
  double cpu_ns_each = 0;
};

class Saturation {
 public:
  /// Opens both sides. @throws StartError, program::CommandError
  Saturation(const Config& config, const Workload& workload);

  /// Nothing when a message took another way than straight to Kafka; void_reason() says which.
  /// @blocks until the last report @throws program::CommandError when there is none
  [[nodiscard]] std::optional<Throughput> run(Side side, std::size_t messages);

  [[nodiscard]] const std::string& void_reason() const noexcept { return void_reason_; }

 private:
  void publish_all(std::size_t messages);
  void send_all(std::size_t messages);
  void publish(Publisher& publisher, std::uint64_t from, std::uint64_t to);
  void send(std::uint64_t from, std::uint64_t to);

  Workload workload_;
  Content content_;
  RunTopic run_topic_;
  OurSide ours_;
  std::vector<Publisher> publishers_;
  std::vector<std::unique_ptr<RawProducer>> raw_;
  std::string void_reason_;
};

}  // namespace spillway::perf
