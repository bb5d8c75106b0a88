#include "load_generator.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <span>
#include <string>
#include <string_view>

#include <sys/prctl.h>

namespace spillway::program {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto sleep_min = 100us;
constexpr auto start_delay = 20ms;        // all threads are there before the first envelope is due
constexpr auto full_journal_wait = 20ms;  // then `stop` is looked at
constexpr auto longest_sleep = 50ms;

// Writes `value` with all its digits, as wide as `out`.
void put_digits(std::span<char> out, std::uint64_t value, unsigned base = 10) noexcept {
  constexpr std::string_view digits = "0123456789abcdef";
  for (auto at = out.rbegin(); at != out.rend(); ++at, value /= base)
    *at = digits[value % base];
}

// "run=<16 hex> publisher=<4 digits> n=<12 digits> at=<19 digits, unix ns> ", then spaces.
class PayloadText {
 public:
  PayloadText(std::uint64_t run, std::uint32_t publisher, std::size_t bytes) : text_(bytes, ' ') {
    constexpr std::string_view names = "run=                 publisher=     n=             at=";
    static_assert(names.size() == at_place);
    std::ranges::copy(names, text_.begin());
    put_digits(field(run_place, 16), run, 16);
    put_digits(field(publisher_place, 4), publisher);
  }

  [[nodiscard]] Bytes with(std::uint64_t n, std::chrono::nanoseconds at) noexcept {
    put_digits(field(n_place, 12), n);
    put_digits(field(at_place, 19), static_cast<std::uint64_t>(at.count()));
    return bytes_of(text_);
  }

 private:
  static constexpr std::size_t run_place = 4;
  static constexpr std::size_t publisher_place = run_place + 16 + 1 + 10;
  static constexpr std::size_t n_place = publisher_place + 4 + 1 + 2;
  static constexpr std::size_t at_place = n_place + 12 + 1 + 3;
  static_assert(at_place + 19 + 1 == payload_bytes_min);

  [[nodiscard]] std::span<char> field(std::size_t place, std::size_t digits) noexcept {
    return std::span{text_}.subspan(place, digits);
  }

  std::string text_;
};

// "k" and a number below `keys`, spread evenly and the same in each run.
std::string_view key_of(std::uint64_t publisher, std::uint64_t n, std::uint64_t keys,
                        std::array<char, 24>& out) noexcept {
  // splitmix64 (Steele, Lea, Flood 2014).
  std::uint64_t mixed = n * 0x9E3779B97F4A7C15U + publisher;
  mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
  mixed ^= mixed >> 31U;
  out[0] = 'k';
  char* const end = std::to_chars(out.data() + 1, out.data() + out.size(), mixed % keys).ptr;
  return {out.data(), end};
}

template <class Counter>
void raise(std::atomic<Counter>& counter) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

LoadGenerator::LoadGenerator(Pipeline& pipeline, Topic topic, const LoadPlan& plan,
                             AcceptFile* accept_file, AcceptLogs* accept_logs)
    : topic_{topic},
      plan_{plan},
      accept_file_{accept_file},
      accept_logs_{accept_logs},
      first_publisher_{accept_file == nullptr ? plan.first_publisher
                                              : accept_file->first_publisher()},
      start_{Clock::now() + start_delay},
      wall_start_{std::chrono::system_clock::now() + start_delay} {
  for (std::size_t i = 0; i < plan.publishers; ++i) {
    workers_.push_back(std::make_unique<Worker>(pipeline.publisher()));
  }
  for (std::size_t i = 0; i < plan.publishers; ++i) {
    threads_.emplace_back([this, i](const std::stop_token& stop) { publish_all(stop, i); });
  }
}

void LoadGenerator::stop() noexcept {
  for (std::jthread& thread : threads_)
    thread.request_stop();
  threads_.clear();
}

void LoadGenerator::publish_all(const std::stop_token& stop, std::size_t index) noexcept {
  ::prctl(PR_SET_TIMERSLACK, 1);
  Worker& worker = *workers_[index];
  const auto publisher = static_cast<std::uint32_t>(first_publisher_ + index);
  PayloadText payload{plan_.run, publisher, plan_.payload_bytes};
  std::array<char, 24> key{};
  AcceptLogWriter* const log = accept_logs_ == nullptr ? nullptr : &accept_logs_->of(index);
  // The k-th envelope of this publisher is due k whole turns of all publishers after its first.
  const double turn_ns = 1e9 * static_cast<double>(plan_.publishers) / plan_.per_second;
  const double first_ns =
      turn_ns * static_cast<double>(index) / static_cast<double>(plan_.publishers);

  for (std::uint64_t n = 0; !stop.stop_requested(); ++n) {
    const std::chrono::nanoseconds since_start{
        std::llround(first_ns + turn_ns * static_cast<double>(n))};
    if (plan_.duration && since_start >= *plan_.duration) break;
    const Clock::time_point due = start_ + since_start;
    for (auto now = Clock::now(); now < due && !stop.stop_requested(); now = Clock::now()) {
      std::this_thread::sleep_for(std::clamp<Clock::duration>(due - now, sleep_min, longest_sleep));
    }
    const Envelope envelope{
        .topic = topic_,
        .key = key_of(publisher, n, plan_.keys, key),
        .payload = payload.with(n, wall_start_.time_since_epoch() + since_start)};
    if (log != nullptr && !log->begin(accept_logs_->content_of(envelope))) {
      worker.failed.store(true, std::memory_order_relaxed);
      break;
    }
    if (!publish_one(stop, worker, log, envelope, due)) break;
    raise(worker.accepted);
    if (accept_file_ != nullptr) accept_file_->raise(index, n + 1);
  }
  worker.ended_after_ns.store(std::max<std::int64_t>(1, (Clock::now() - start_).count()),
                              std::memory_order_relaxed);
}

bool LoadGenerator::publish_one(const std::stop_token& stop, Worker& worker, AcceptLogWriter* log,
                                const Envelope& envelope, Clock::time_point due) noexcept {
  PublishLatency& latency = worker.latency[phase_.load(std::memory_order_relaxed)];
  const Clock::time_point called = Clock::now();
  PublishResult result = worker.publisher.publish(envelope);
  Clock::time_point returned = Clock::now();
  if (result) latency.call.count(returned - called);
  while (result.status() == PublishStatus::journal_full && !stop.stop_requested()) {
    raise(worker.refused);
    if (log != nullptr) log->begin_again();
    result = worker.publisher.publish_within(full_journal_wait, envelope);
    returned = Clock::now();
  }
  if (log != nullptr) log->end(static_cast<bool>(result));
  if (result) {
    latency.from_due.count(returned - due);
    return true;
  }
  if (result.status() != PublishStatus::journal_full) {
    worker.failed.store(true, std::memory_order_relaxed);
  }
  return false;
}

bool LoadGenerator::is_done() const noexcept {
  return std::ranges::all_of(workers_, [](const auto& worker) {
    return worker->ended_after_ns.load(std::memory_order_relaxed) != 0;
  });
}

std::chrono::nanoseconds LoadGenerator::elapsed() const noexcept {
  std::int64_t longest = 0;
  for (const auto& worker : workers_) {
    const std::int64_t ended = worker->ended_after_ns.load(std::memory_order_relaxed);
    longest = std::max<std::int64_t>(longest, ended != 0 ? ended : (Clock::now() - start_).count());
  }
  return std::chrono::nanoseconds{longest};
}

bool LoadGenerator::has_failed() const noexcept {
  return std::ranges::any_of(
      workers_, [](const auto& worker) { return worker->failed.load(std::memory_order_relaxed); });
}

std::uint64_t LoadGenerator::accepted() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& worker : workers_)
    sum += worker->accepted.load(std::memory_order_relaxed);
  return sum;
}

std::uint64_t LoadGenerator::refused() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& worker : workers_)
    sum += worker->refused.load(std::memory_order_relaxed);
  return sum;
}

void LoadGenerator::add_latency(std::size_t phase, PublishLatency& sum) const noexcept {
  for (const auto& worker : workers_) {
    sum.from_due.add(worker->latency[phase].from_due);
    sum.call.add(worker->latency[phase].call);
  }
}

}  // namespace spillway::program
