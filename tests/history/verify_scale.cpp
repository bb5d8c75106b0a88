// tests/history/verify_scale.cpp: how fast the audit is, and what it takes: messages are made up as
// they are judged, and none is kept.
//
// usage: verify-scale [--messages=N] [--memory-mib=N]
//
// A healthy run of 4 publishers, 10,000 keys, 2 lanes and 8 partitions, with one message in 1000
// sent again and marked. It comes as Kafka gives it: a piece of one partition, then of the next.
// Prints messages a second, the peak of resident memory and the CPU time; exit codes as of
// `spillway verify`: above the cap of --memory-mib it is 4.

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include "verify/audit.hpp"
#include "verify/report.hpp"

namespace {

using namespace spillway::verify;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t partitions = 8;
constexpr std::uint16_t lanes = 2;
constexpr std::uint32_t publishers = 4;
constexpr std::uint64_t run = 0xAA;
constexpr std::uint64_t instance = 0x00c17f3a22d09e41;
constexpr std::uint64_t keys = 10'000;
constexpr std::size_t piece_records = 65'536;  // of all partitions
constexpr std::uint64_t messages_between_progress = 1'000'000;

struct Options {
  std::uint64_t messages = 10'000'000;
  std::uint64_t memory_mib = 512;
};

bool parse(std::string_view word, std::string_view name, std::uint64_t& value) {
  if (!word.starts_with(name)) return false;
  word.remove_prefix(name.size());
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc{} && end == word.data() + word.size();
}

void put_digits(char* last, std::size_t digits, std::uint64_t value) {
  for (; digits > 0; --digits, value /= 10)
    *last-- = static_cast<char>('0' + value % 10);
}

class Topic {
 public:
  explicit Topic(std::uint64_t messages) : messages_{messages} {
    std::snprintf(payload_.data(), payload_.size(),
                  "run=%016llx publisher=0000 n=000000000000 at=0000000000000000001 ",
                  static_cast<unsigned long long>(run));
    std::fill(payload_.begin() + 74, payload_.end(), ' ');  // from the text's end
  }

  template <class Visit>
  void read(const Visit& visit) {
    for (std::uint64_t made = 0; made < messages_;) {
      const std::uint64_t piece = std::min<std::uint64_t>(piece_records, messages_ - made);
      for (std::uint64_t i = 0; i < piece; ++i)
        publish(made + i);
      made += piece;
      for (std::uint32_t p = 0; p < partitions; ++p) {
        for (const Record& record : logs_[p])
          show(p, record, visit);
        logs_[p].clear();
      }
    }
  }

  /// After read().
  [[nodiscard]] std::vector<std::uint64_t> accepted() const {
    return {accepted_.begin(), accepted_.end()};
  }

 private:
  struct Record {
    std::uint64_t key = 0;
    std::uint64_t n = 0;
    std::uint64_t seq = 0;
    std::uint32_t publisher = 0;
    std::uint16_t lane = 0;
    bool again = false;
  };

  void publish(std::uint64_t i) {
    // splitmix64 (Steele, Lea, Flood 2014).
    std::uint64_t mixed = (i + 1) * 0x9E3779B97F4A7C15U;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    mixed ^= mixed >> 31U;
    const auto publisher = static_cast<std::uint32_t>(mixed % publishers);
    const std::uint64_t key = (mixed >> 8U) % keys;
    const auto lane = static_cast<std::uint16_t>(key / partitions % lanes);
    logs_[key % partitions].push_back({.key = key,
                                       .n = accepted_[publisher]++,
                                       .seq = ++last_seqs_[lane],
                                       .publisher = publisher,
                                       .lane = lane,
                                       .again = i % 1'000 == 999});
  }

  template <class Visit>
  void show(std::uint32_t partition, const Record& record, const Visit& visit) {
    std::array<char, 5> key{'k'};
    put_digits(&key[4], 4, record.key);
    put_digits(&payload_[34], 4, record.publisher);
    put_digits(&payload_[49], 12, record.n);
    const std::string position =
        text_of(Position{.instance = instance, .lane = record.lane, .seq = record.seq});
    for (int copy = 0; copy < (record.again ? 2 : 1); ++copy) {
      RecordReader reader{bytes_of({key.data(), key.size()}),
                          bytes_of({payload_.data(), payload_.size()})};
      reader.take_header("spillway-position", bytes_of(position));
      if (copy == 1) reader.take_header("spillway-resend", bytes_of("lease"));
      visit(Place{.partition = partition, .offset = ends_[partition]++}, reader);
    }
  }

  std::uint64_t messages_;
  std::array<char, 200> payload_{};
  std::array<std::uint64_t, publishers> accepted_{};
  std::array<std::uint64_t, lanes> last_seqs_{};
  std::array<std::uint64_t, partitions> ends_{};
  std::array<std::vector<Record>, partitions> logs_;
};

void show_progress(std::uint64_t done, std::uint64_t all) {
  if (::isatty(STDERR_FILENO) == 0) return;
  std::fprintf(stderr, "\rverify-scale: %llu of %llu messages",
               static_cast<unsigned long long>(done), static_cast<unsigned long long>(all));
}

int exit_code_of(Verdict verdict) {
  return verdict == Verdict::passed ? 0 : verdict == Verdict::violated ? 1 : 4;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word{argv[i]};
    if (!parse(word, "--messages=", options.messages) &&
        !parse(word, "--memory-mib=", options.memory_mib)) {
      std::fputs("usage: verify-scale [--messages=N] [--memory-mib=N]\n", stderr);
      return 2;
    }
  }
  Audit audit{{.topic = "orders",
               .run = run,
               .memory_bytes_max = options.memory_mib << 20U,
               .whole_streams = true}};
  Topic topic{options.messages};
  const Clock::time_point start = Clock::now();
  topic.read([&](Place place, const RecordReader& record) {
    audit.add_message(place, record);
    if (audit.messages() % messages_between_progress == 0) {
      show_progress(audit.messages(), options.messages);
    }
  });
  audit.expect_accepted(topic.accepted());
  audit.expect_at_most(topic.accepted());
  const AuditResult result = audit.finish();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);

  if (::isatty(STDERR_FILENO) != 0) std::fputc('\n', stderr);
  if (result.verdict() != Verdict::passed) std::fputs(text_report(result).c_str(), stdout);
  std::printf("verify-scale: %llu messages, %.0f/s, peak RSS %ld MiB, %ld s of CPU, %s\n",
              static_cast<unsigned long long>(result.messages),
              static_cast<double>(result.messages) / seconds, usage.ru_maxrss / 1024,
              usage.ru_utime.tv_sec + usage.ru_stime.tv_sec, name_of(result.verdict()).data());
  return exit_code_of(result.verdict());
}
