// tools/spillway/load_generator.hpp: publishes at a fixed rate, whatever becomes of it.
//
// Open loop: each envelope has a moment at which it is due, and its latency counts from there, so a
// publish() that stalls is charged with everything that waits behind it. A full journal is tried
// again until there is room. One thread for each publisher; it sleeps at least 100 us and then
// publishes all that is due, since a spinning publisher would take a core from the broker.

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "accept_file.hpp"
#include "accept_logs.hpp"
#include "histogram.hpp"
#include "spillway/pipeline.hpp"

namespace spillway::program {

/// What a payload begins with: 74 characters.
inline constexpr std::size_t payload_bytes_min = 74;

struct LoadPlan {
  std::uint64_t run = 0;
  double per_second = 1'000;                              ///< Of all publishers.
  std::optional<std::chrono::nanoseconds> duration = {};  ///< Nothing: until stop().
  std::size_t publishers = 1;
  std::uint32_t first_publisher = 0;  ///< Where there is no accept file that says it.
  std::size_t payload_bytes = 200;    ///< At least payload_bytes_min.
  std::uint64_t keys = 1'000;
};

/// Latencies of one stretch of time.
struct PublishLatency {
  Histogram from_due;  ///< Due → publish() returned "accepted".
  Histogram call;      ///< The call of publish() itself, accepted at once.
};

class LoadGenerator {
 public:
  /// Starts to publish. `accept_file` and `accept_logs` may be null. All must outlive it.
  LoadGenerator(Pipeline& pipeline, Topic topic, const LoadPlan& plan, AcceptFile* accept_file,
                AcceptLogs* accept_logs = nullptr);
  LoadGenerator(const LoadGenerator&) = delete;
  LoadGenerator& operator=(const LoadGenerator&) = delete;
  ~LoadGenerator() = default;

  static constexpr std::size_t phases_max = 4;
  /// Latencies count in this phase from now on; it begins with 0. @thread any
  void enter_phase(std::size_t phase) noexcept { phase_.store(phase, std::memory_order_relaxed); }

  /// No further envelope; joins the threads. Again: nothing.
  void stop() noexcept;
  /// Every publisher has published for `duration`. @thread any
  [[nodiscard]] bool is_done() const noexcept;

  [[nodiscard]] std::uint64_t accepted() const noexcept;  ///< @thread any
  [[nodiscard]] std::uint64_t refused() const noexcept;   ///< Answers "journal_full". @thread any
  [[nodiscard]] std::uint64_t due()
      const noexcept;  ///< Envelopes whose moment had come. @thread any
  /// From the moment the first envelope was due to now, or to the last publisher's end. @thread any
  [[nodiscard]] std::chrono::nanoseconds elapsed() const noexcept;
  /// publish() answered `too_large` or `closed`: no further envelope is tried. @thread any
  [[nodiscard]] bool has_failed() const noexcept;

  /// Adds what was counted in `phase` so far. @thread any
  void add_latency(std::size_t phase, PublishLatency& sum) const noexcept;

 private:
  struct Worker {
    explicit Worker(Publisher its_publisher) : publisher{std::move(its_publisher)} {}

    Publisher publisher;
    std::array<PublishLatency, phases_max> latency;
    // Counted by its thread, read by any: relaxed, a reader may be a moment behind.
    std::atomic<std::uint64_t> accepted = 0;
    std::atomic<std::uint64_t> refused = 0;
    std::atomic<bool> failed = false;
    std::atomic<std::int64_t> ended_after_ns = 0;  // 0: it publishes
  };
  void publish_all(const std::stop_token& stop, std::size_t index) noexcept;
  /// False: no room until `stop`, or never.
  [[nodiscard]] bool publish_one(const std::stop_token& stop, Worker& worker, AcceptLogWriter* log,
                                 const Envelope& envelope,
                                 std::chrono::steady_clock::time_point due) noexcept;

  Topic topic_;
  LoadPlan plan_;
  AcceptFile* accept_file_;
  AcceptLogs* accept_logs_;
  std::uint32_t first_publisher_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::system_clock::time_point wall_start_;
  std::atomic<std::size_t> phase_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::jthread> threads_;  // last: joined before anything that they use is gone
};

}  // namespace spillway::program
