#include "stack_control.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.hpp"

namespace spillway::program {
namespace {

std::string find_script(const std::string& path) {
  if (!path.empty()) return path;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): reads only.
  if (const char* const variable = std::getenv("SPILLWAY_STACK")) return variable;
  std::error_code error;
  std::string script = "tools/stack";
  // The checkout is somewhere above its builds.
  std::filesystem::path from = std::filesystem::read_symlink("/proc/self/exe", error);
  while (from.has_relative_path()) {
    from = from.parent_path();
    if (std::filesystem::is_regular_file(from / script, error)) return from / script;
  }
  return script;
}

// What the script says goes to a file in memory: a server that it starts may keep a pipe open.
class Output {
 public:
  Output() : file_{::memfd_create("stack", MFD_CLOEXEC)} {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() {
    if (file_ >= 0) ::close(file_);
  }
  [[nodiscard]] int file() const noexcept { return file_; }
  [[nodiscard]] std::string text() const {
    std::array<char, 2000> bytes{};
    const auto got = ::pread(file_, bytes.data(), bytes.size(), 0);
    return {bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
  }

 private:
  int file_;
};

class SpawnActions {
 public:
  explicit SpawnActions(const Output& output) {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files_, output.file(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&files_, output.file(), STDERR_FILENO);
    // The signals that StopSignal holds back here must reach the script and its servers.
    sigset_t none{};
    ::sigemptyset(&none);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
  }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* files() const noexcept { return &files_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const noexcept { return &attributes_; }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

StackControl::StackControl(const std::string& path) : path_{find_script(path)} {
  if (::access(path_.c_str(), X_OK) == 0) return;
  throw CommandError{ExitCode::usage,
                     path_ +
                         " is no script that can be run; --stack names the one that controls the "
                         "local servers (tools/stack)"};
}

std::string StackControl::run(std::initializer_list<std::string> arguments) const {
  const Output output;
  const SpawnActions actions{output};
  std::vector<std::string> words{path_};
  words.insert(words.end(), arguments);
  std::vector<char*> pointers;
  std::string command;
  for (std::string& word : words) {
    pointers.push_back(word.data());
    command += (command.empty() ? "" : " ") + word;
  }
  pointers.push_back(nullptr);

  pid_t child = 0;
  const int failed = ::posix_spawn(&child, path_.c_str(), actions.files(), actions.attributes(),
                                   pointers.data(), environ);
  if (failed != 0)
    throw CommandError{ExitCode::unusable,
                       command + ": " + std::generic_category().message(failed)};
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output.text();
  throw CommandError{ExitCode::unusable, command + " failed: " + output.text()};
}

}  // namespace spillway::program
