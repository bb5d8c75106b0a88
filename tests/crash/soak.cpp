// tests/crash/soak.cpp: the crash test for as many kills as wanted; see tools/soak.d/crash.sh.
//
// usage: crash_soak KILLS SEED

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <string_view>

#include <unistd.h>

#include "crash/campaign.hpp"

namespace {

using spillway::crash::Campaign;

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
  if (error != std::errc{} || end != text.end()) return std::nullopt;
  return value;
}

int soak(std::uint64_t kills, std::uint64_t seed) {
  const auto begun = std::chrono::steady_clock::now();
  const bool on_terminal = ::isatty(STDERR_FILENO) != 0;
  Campaign campaign{seed};
  std::uint64_t failed = 0;
  while (campaign.kills() < kills) {
    const std::size_t known = campaign.findings().size();
    if (!campaign.run()) ++failed;
    for (std::size_t i = known; i < campaign.findings().size(); ++i)
      std::fprintf(stderr, "%s\n", campaign.findings()[i].c_str());
    if (on_terminal)
      std::fprintf(stderr, "\r%llu kills", static_cast<unsigned long long>(campaign.kills()));
  }
  if (on_terminal) std::fputs("\n", stderr);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  std::printf(
      "crash: %llu done, %llu failed, %.1f/s, seed %llu\n",
      static_cast<unsigned long long>(campaign.kills()), static_cast<unsigned long long>(failed),
      static_cast<double>(campaign.kills()) / took.count(), static_cast<unsigned long long>(seed));
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  const auto kills = count == 3 ? number_of(arguments[1]) : std::nullopt;
  const auto seed = count == 3 ? number_of(arguments[2]) : std::nullopt;
  if (!kills || !seed) {
    std::fputs("usage: crash_soak KILLS SEED\n", stderr);
    return 2;
  }
  try {
    return soak(*kills, *seed);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "crash_soak: %s\n", error.what());
    return 3;
  }
}
