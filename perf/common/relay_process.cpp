#include "perf/common/relay_process.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <sstream>
#include <string_view>
#include <system_error>
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
constexpr const char* relay_flag = "--relay";

// Words for a C function that takes char*[], which ends with a null.
class Words {
 public:
  explicit Words(std::vector<std::string> words) : words_{std::move(words)} {
    for (std::string& word : words_)
      pointers_.push_back(word.data());
    pointers_.push_back(nullptr);
  }
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;
  ~Words() = default;
  [[nodiscard]] char* const* get() const noexcept { return pointers_.data(); }

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
};

// This process's variables, but for where the outbox and its tokens are.
std::vector<std::string> variables_of(const Config& config) {
  constexpr std::array<std::string_view, 5> replaced{
      "SPILLWAY_POSTGRES=", "SPILLWAY_POSTGRES_CONNINFO=", "SPILLWAY_REDIS=", "SPILLWAY_REDIS_URL=",
      "SPILLWAY_REDIS_LIST="};
  std::vector<std::string> variables{"SPILLWAY_POSTGRES=" + config.postgres.conninfo,
                                     "SPILLWAY_REDIS=" + config.redis.url,
                                     "SPILLWAY_REDIS_LIST=" + config.redis.list};
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const std::string_view variable{*entry};
    const bool stays = std::ranges::none_of(
        replaced, [variable](std::string_view name) { return variable.starts_with(name); });
    if (stays) variables.emplace_back(variable);
  }
  return variables;
}

}  // namespace

void add_relay_flag(CLI::App& flags, bool& is_relay) {
  flags.add_flag(relay_flag, is_relay)->group("");
}

void run_relay(const Config& config) {
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
  const Words words{std::vector<std::string>{myself, relay_flag}};
  const Words variables{variables_of(config)};
  posix_spawn_file_actions_t files{};
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, ends[1], STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  const int failed = ::posix_spawn(&pid_, myself, &files, nullptr, words.get(), variables.get());
  ::posix_spawn_file_actions_destroy(&files);
  ::close(ends[1]);
  if (failed == 0) return;
  ::close(socket_);
  throw CommandError{ExitCode::unusable,
                     std::string{"a relay's process: "} + std::generic_category().message(failed)};
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
