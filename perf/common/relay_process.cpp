#include "perf/common/relay_process.hpp"

#include <array>
#include <cstring>
#include <iostream>
#include <sstream>
#include <utility>
#include <vector>

#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/spillway/command.hpp"

namespace spillway::perf {
namespace {

using program::CommandError;
using program::ExitCode;

constexpr const char* myself = "/proc/self/exe";

}  // namespace

void add_relay_flags(CLI::App& flags, RelayPlace& place) {
  flags.add_option("--relay-conninfo", place.conninfo)->group("");
  flags.add_option("--relay-redis", place.redis)->group("");
  flags.add_option("--relay-list", place.list)->group("");
}

void run_relay(Config config, const RelayPlace& place) {
  config.postgres.conninfo = place.conninfo;
  config.redis.url = place.redis;
  config.redis.list = place.list;
  const Relay relay = Relay::open(config);
  std::string nothing;
  while (std::getline(std::cin, nothing)) {
  }
  const Delays delays = delays_of(relay.report().outbox_processing_delay);
  std::cout << delays.p50_ms << ' ' << delays.p99_ms << ' ' << delays.rows << std::endl;
}

Delays delays_of(const Latency& latency) noexcept {
  return {.p50_ms = static_cast<double>(latency.p50_ns) / 1e6,
          .p99_ms = static_cast<double>(latency.p99_ns) / 1e6,
          .rows = static_cast<double>(latency.count)};
}

RelayProcess::RelayProcess(const Config& config) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw CommandError{ExitCode::unusable, "no socket pair for a relay's process"};
  }
  socket_ = ends[0];
  std::vector<std::string> words{myself,           "--relay-conninfo", config.postgres.conninfo,
                                 "--relay-redis",  config.redis.url,   "--relay-list",
                                 config.redis.list};
  std::vector<char*> pointers;
  for (std::string& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t files{};
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, ends[1], STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  const int failed = ::posix_spawn(&pid_, myself, &files, nullptr, pointers.data(), ::environ);
  ::posix_spawn_file_actions_destroy(&files);
  ::close(ends[1]);
  if (failed == 0) return;
  ::close(socket_);
  throw CommandError{ExitCode::unusable,
                     std::string{"a relay's process: "} + std::strerror(failed)};
}

RelayProcess::~RelayProcess() {
  await_end();
}

void RelayProcess::await_end() noexcept {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  if (pid_ > 0) ::waitpid(std::exchange(pid_, 0), nullptr, 0);
}

Delays RelayProcess::end() {
  ::shutdown(socket_, SHUT_WR);
  std::array<char, 200> bytes{};
  std::string text;
  for (ssize_t got = 0; (got = ::read(socket_, bytes.data(), bytes.size())) > 0;)
    text.append(bytes.data(), static_cast<std::size_t>(got));
  await_end();
  std::istringstream words{text};
  Delays delays;
  if (words >> delays.p50_ms >> delays.p99_ms >> delays.rows) return delays;
  throw CommandError{ExitCode::unusable, "a relay's process has told nothing"};
}

}  // namespace spillway::perf
