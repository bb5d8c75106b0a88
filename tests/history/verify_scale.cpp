// tests/history/verify_scale.cpp: how fast the audit is, and what it takes: messages are made up as
// they are judged, and none is kept.
//
// usage: verify-scale [--messages=N] [--memory-mib=N]
//
// A healthy run of 4 publishers, 2 lanes and 8 partitions, with one message in 1000 sent again and
// marked. Prints messages a second and the peak of resident memory; exit codes as of `spillway
// verify`: above the cap of --memory-mib it is 4.

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
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

// Partition p carries key p, of one publisher and one lane; its records are every eighth.
class Topic {
 public:
  explicit Topic(std::uint64_t messages) : each_{messages / partitions} {}

  template <class Visit>
  void read(const Visit& visit) {
    std::array<char, 200> payload{};
    payload.fill(' ');
    std::snprintf(payload.data(), payload.size(),
                  "run=%016llx publisher=0000 n=000000000000 at=0000000000000000001 ",
                  static_cast<unsigned long long>(run));
    payload[74] = ' ';  // where the text's end was
    std::array<char, 8> key{'k', '0'};
    for (std::uint32_t p = 0; p < partitions; ++p) {
      key[1] = static_cast<char>('0' + p);
      std::uint64_t offset = 0;
      const std::uint32_t publisher = p % publishers;
      put_digits(&payload[34], 4, publisher);
      for (std::uint64_t i = 0; i < each_; ++i) {
        // A publisher's records alternate between its two keys; a lane's between its four.
        const std::uint64_t n = i * (partitions / publishers) + p / publishers;
        const std::uint64_t seq = i * (partitions / lanes) + p / lanes + 1;
        put_digits(&payload[49], 12, n);
        const Position position{
            .instance = instance, .lane = static_cast<std::uint16_t>(p % lanes), .seq = seq};
        const std::string header = text_of(position);
        const int copies = i % 1'000 == 999 ? 2 : 1;
        for (int copy = 0; copy < copies; ++copy) {
          RecordReader record{bytes_of({key.data(), 2}),
                              bytes_of({payload.data(), payload.size()})};
          record.take_header("spillway-position", bytes_of(header));
          if (copy == 1) record.take_header("spillway-resend", bytes_of("lease"));
          visit(Place{.partition = p, .offset = offset++}, record);
        }
      }
    }
  }

  [[nodiscard]] std::vector<std::uint64_t> accepted() const {
    return std::vector<std::uint64_t>(publishers, each_ * (partitions / publishers));
  }

 private:
  std::uint64_t each_;
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
  audit.expect_accepted(topic.accepted());
  topic.read([&](Place place, const RecordReader& record) {
    audit.add_message(place, record);
    if (audit.messages() % messages_between_progress == 0) {
      show_progress(audit.messages(), options.messages);
    }
  });
  audit.expect_at_most(topic.accepted());
  const AuditResult result = audit.finish();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);

  if (::isatty(STDERR_FILENO) != 0) std::fputc('\n', stderr);
  if (result.verdict() != Verdict::passed) std::fputs(text_report(result).c_str(), stdout);
  std::printf("verify-scale: %llu messages, %.0f/s, peak RSS %ld MiB, %s\n",
              static_cast<unsigned long long>(result.messages),
              static_cast<double>(result.messages) / seconds, usage.ru_maxrss / 1024,
              name_of(result.verdict()).data());
  return exit_code_of(result.verdict());
}
