// bench/copy_bench.cpp: a batch of outbox rows as COPY BINARY, against a copy of as many bytes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "adapters/postgres/copy_binary.hpp"
#include "core/header_block.hpp"
#include "costs.hpp"

namespace spillway::bench {
namespace {

constexpr std::size_t rows_in_batch = 512;  // PostgresConfig::batch_rows_max
constexpr core::StreamId stream{.instance = {0x9F3A'01C2'7B6E'D481}, .lane = {0}};

/// Rows as a lane hands them to the writer; what they view lives here.
class Batch {
 public:
  explicit Batch(std::size_t payload_bytes)
      : payloads_(rows_in_batch * payload_bytes, std::byte{'x'}) {
    const std::array headers{Header{.name = "trace-id", .value = bytes_of("0123456789abcdef")}};
    headers_.resize(core::header_block_bytes(headers).value_or(0));
    core::encode_headers(headers, headers_);
    for (std::uint64_t seq = 1; seq <= rows_in_batch; ++seq) {
      rows_.push_back(
          {.seq = {seq},
           .topic = "orders",
           .key = bytes_of("customer-0000001"),
           .payload = std::span{payloads_}.subspan((seq - 1) * payload_bytes, payload_bytes),
           .headers = headers_,
           .accepted_at = {1'700'000'000'000'000'000},
           .event_time_ms = {},
           .renumbered_from = {}});
    }
  }

  [[nodiscard]] std::span<const ports::OutboxRow> rows() const noexcept { return rows_; }

 private:
  std::vector<std::byte> payloads_;
  std::vector<std::byte> headers_;
  std::vector<ports::OutboxRow> rows_;
};

void report(benchmark::State& state, Costs& costs, std::size_t bytes) {
  const auto rows = state.iterations() * static_cast<std::int64_t>(rows_in_batch);
  costs.report(state, static_cast<std::uint64_t>(rows));
  state.SetItemsProcessed(rows);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

void encode(benchmark::State& state, std::size_t payload_bytes) {
  const Batch batch{payload_bytes};
  postgres::CopyEncoder encoder;
  const std::size_t bytes = encoder.encode(stream, batch.rows()).size();
  Costs costs;
  for (const auto running : state) {
    static_cast<void>(running);
    benchmark::DoNotOptimize(encoder.encode(stream, batch.rows()));
  }
  report(state, costs, bytes);
}

// The floor: the encoder's output, copied row by row.
void copy(benchmark::State& state, std::size_t payload_bytes) {
  const Batch batch{payload_bytes};
  postgres::CopyEncoder encoder;
  const std::span<const std::byte> from = encoder.encode(stream, batch.rows());
  const std::size_t row_bytes = from.size() / rows_in_batch;
  std::vector<std::byte> to(from.size());
  Costs costs;
  for (const auto running : state) {
    static_cast<void>(running);
    for (std::size_t row = 0; row < rows_in_batch; ++row) {
      std::memcpy(to.data() + row * row_bytes, from.data() + row * row_bytes, row_bytes);
      benchmark::ClobberMemory();
    }
  }
  report(state, costs, row_bytes * rows_in_batch);
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  using namespace spillway::bench;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (const std::size_t bytes : {64U, 200U, 4'096U}) {
    const std::string name = "COPY, 512 rows of " + std::to_string(bytes) + " B/";
    benchmark::RegisterBenchmark((name + "spillway:CopyEncoder").c_str(),
                                 [bytes](benchmark::State& state) { encode(state, bytes); });
    benchmark::RegisterBenchmark((name + "baseline:memcpy").c_str(),
                                 [bytes](benchmark::State& state) { copy(state, bytes); });
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
