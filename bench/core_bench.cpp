// bench/core_bench.cpp: the parts that each record passes: journal, texts, lane table, histogram.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "core/header_block.hpp"
#include "core/lane_states.hpp"
#include "core/position.hpp"
#include "core/record.hpp"
#include "costs.hpp"
#include "handoff/counters.hpp"
#include "journal/journal.hpp"
#include "journal/recovery.hpp"
#include "journal/segment.hpp"

namespace spillway::bench {
namespace {

using namespace std::chrono_literals;

/// `operation` as often as the library asks, each an item.
template <class Operation>
void measure(benchmark::State& state, Operation operation) {
  Costs costs;
  for (const auto running : state) {
    static_cast<void>(running);
    operation();
  }
  costs.report(state, static_cast<std::uint64_t>(state.iterations()));
  state.SetItemsProcessed(state.iterations());
}

// ---- Journal: append until a segment is full, then let it go round ----

constexpr std::size_t key_bytes = 16;
constexpr std::size_t payload_bytes = 200;
constexpr std::size_t content_bytes = key_bytes + payload_bytes;

/// A publisher and a lane in one: what is appended is freed when its segment is full.
class JournalRound {
 public:
  JournalRound() { static_cast<void>(journal::recover(journal_)); }
  JournalRound(const JournalRound&) = delete;
  JournalRound& operator=(const JournalRound&) = delete;
  ~JournalRound() {
    std::error_code ignored;
    std::filesystem::remove(path(), ignored);
  }

  void append(std::span<const std::byte> content) {
    const std::size_t bytes = core::record_bytes_for(content.size());
    if (!writer_.has_room_for(bytes)) turn();
    // Segments and records are aligned to 8 bytes.
    auto& header = *reinterpret_cast<core::RecordHeader*>(writer_.next());
    header.stamp = ++stamp_;
    header.seq = 0;
    header.renumbered_from = 0;
    header.event_time_ms = core::no_event_time;
    header.record_bytes = static_cast<std::uint32_t>(bytes);
    header.key_bytes = key_bytes;
    header.payload_bytes = static_cast<std::int32_t>(content.size() - key_bytes);
    header.headers_bytes = 0;
    header.lane = 0;
    header.topic = 0;
    std::memcpy(writer_.next() + sizeof header, content.data(), content.size());
    header.check = core::header_check(header);
    writer_.accept(header);
    ++records_;
  }

 private:
  static std::string path() {
    return "/dev/shm/spillway-bench-" + std::to_string(::getpid()) + ".journal";
  }

  void turn() {
    if (segment_) {
      journal_.close_segment(*segment_, records_);
      journal_.free_records(*segment_, records_);
    }
    records_ = 0;
    segment_ = journal_.take_segment();
    if (!segment_) throw std::logic_error{"the journal is full, though every record was freed"};
    writer_ = journal::SegmentWriter{journal_.memory_of(*segment_)};
  }

  journal::Journal journal_{path(), std::size_t{16} << 20};
  journal::SegmentWriter writer_;
  std::optional<journal::SegmentIndex> segment_;
  std::size_t records_ = 0;
  std::uint64_t stamp_ = 0;
};

void append_to_journal(benchmark::State& state) {
  const std::vector<std::byte> content(content_bytes, std::byte{'x'});
  JournalRound journal;
  measure(state, [&] { journal.append(content); });
}

// The floor: the same bytes into as much memory, and nothing else.
void copy_round_a_buffer(benchmark::State& state) {
  const std::vector<std::byte> content(core::record_bytes_for(content_bytes), std::byte{'x'});
  std::vector<std::byte> room(std::size_t{16} << 20);
  std::size_t used = 0;
  measure(state, [&] {
    if (room.size() - used < content.size()) used = 0;
    std::memcpy(room.data() + used, content.data(), content.size());
    benchmark::ClobberMemory();
    used += content.size();
  });
}

// ---- Position: the header of every message ----

constexpr core::StreamId stream{.instance = {0x9F3A'01C2'7B6E'D481}, .lane = {3}};

void format_position(benchmark::State& state) {
  core::Seq seq{1'234'567'890};
  core::PositionText text{};
  measure(state, [&] {
    benchmark::DoNotOptimize(core::format_position(stream, seq, text));
    seq = seq.next();
  });
}

void print_position(benchmark::State& state) {
  std::uint64_t seq = 1'234'567'890;
  std::array<char, core::position_chars_max + 1> text{};
  measure(state, [&] {
    benchmark::DoNotOptimize(std::snprintf(text.data(), text.size(), "%016lx-%u-%lu",
                                           stream.instance.value, unsigned{stream.lane.value},
                                           seq));
    benchmark::DoNotOptimize(text.data());
    ++seq;
  });
}

void parse_position(benchmark::State& state) {
  core::PositionText text{};
  const std::string_view position = core::format_position(stream, {1'234'567'890}, text);
  measure(state, [&] { benchmark::DoNotOptimize(core::parse_position(position)); });
}

// ---- Header block ----

std::vector<Header> four_headers() {
  return {{.name = "trace-id", .value = bytes_of("4bf92f3577b34da6a3ce929d0e0e4736")},
          {.name = "source", .value = bytes_of("orders")},
          {.name = "version", .value = bytes_of("3")},
          {.name = "tenant", .value = std::nullopt}};
}

void encode_headers(benchmark::State& state) {
  const std::vector<Header> headers = four_headers();
  std::array<std::byte, 256> block{};
  measure(state, [&] {
    const std::size_t bytes = core::header_block_bytes(headers).value_or(0);
    core::encode_headers(headers, std::span{block}.first(bytes));
    benchmark::ClobberMemory();
  });
}

void read_headers(benchmark::State& state) {
  const std::vector<Header> headers = four_headers();
  std::vector<std::byte> block(core::header_block_bytes(headers).value_or(0));
  core::encode_headers(headers, block);
  measure(state, [&] {
    for (core::HeaderReader reader{block}; auto header = reader.next();)
      benchmark::DoNotOptimize(header);
  });
}

// ---- Lane table ----

void next_state(benchmark::State& state) {
  constexpr core::Instant start{1h};
  const core::LaneLimits limits;
  core::LaneFacts seen{.oldest_unreported_at = start, .producer_warm = true};
  core::LaneState lane = core::LaneState::direct;
  measure(state, [&] {
    benchmark::DoNotOptimize(seen);
    lane = core::next_state(lane, seen, limits, start + 1ms);
    benchmark::DoNotOptimize(lane);
  });
}

// ---- Histogram: durations as an ack has them, spread over its buckets ----

std::vector<std::uint64_t> durations() {
  std::vector<std::uint64_t> made(4'096);
  std::uint64_t random = 0x9E37'79B9'7F4A'7C15;
  for (std::uint64_t& ns : made) {
    random ^= random << 13U;
    random ^= random >> 7U;
    random ^= random << 17U;
    ns = 100'000 + random % 900'000;
  }
  return made;
}

void record_durations(benchmark::State& state) {
  const std::vector<std::uint64_t> ns = durations();
  handoff::SharedHistogram histogram;
  std::size_t n = 0;
  measure(state, [&] { histogram.record(ns[n++ % ns.size()]); });
}

struct Subject {
  const char* name;
  void (*run)(benchmark::State&);
};
constexpr std::array subjects{
    Subject{"journal, 200 B/spillway:append+recycle", append_to_journal},
    Subject{"journal, 200 B/baseline:memcpy", copy_round_a_buffer},
    Subject{"position/spillway:format_position", format_position},
    Subject{"position/baseline:snprintf", print_position},
    Subject{"position read/spillway:parse_position", parse_position},
    Subject{"4 headers/spillway:encode_headers", encode_headers},
    Subject{"4 headers read/spillway:HeaderReader", read_headers},
    Subject{"lane table/spillway:next_state", next_state},
    Subject{"histogram/spillway:record", record_durations},
};

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (const auto& subject : spillway::bench::subjects)
    benchmark::RegisterBenchmark(subject.name, subject.run);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
