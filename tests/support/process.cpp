#include "support/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/eventually.hpp"

namespace spillway::test {
namespace {

constexpr int could_not_run = 127;
constexpr int signalled = 128;  // as a shell says it

std::string word_or(const char* variable, const std::string& without) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no test changes its environment.
  const char* const value = std::getenv(variable);
  if (value == nullptr) throw std::runtime_error{std::string{variable} + " is not set: " + without};
  return value;
}

}  // namespace

Process::Process(std::vector<std::string> words)
    : name_{words.front()}, output_{::memfd_create("output", MFD_CLOEXEC)} {
  std::vector<char*> pointers;
  for (std::string& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);

  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error{errno, std::generic_category(), name_};
  if (pid_ != 0) return;
  // The child of a process with threads: nothing but system calls from here on.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none{};
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  ::dup2(output_, STDOUT_FILENO);
  ::dup2(output_, STDERR_FILENO);
  // A broker's connection must end with the test, not with what the test has started.
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  ::execv(pointers.front(), pointers.data());
  ::_exit(could_not_run);
}

Process::~Process() {
  kill();
  ::close(output_);
}

void Process::signal(int number) const noexcept {
  if (!ended_) ::kill(pid_, number);
}

void Process::kill() noexcept {
  signal(SIGKILL);
  await(0);
}

std::optional<int> Process::ended_within(std::chrono::milliseconds time) {
  static_cast<void>(eventually(time, [this] {
    await(WNOHANG);
    return ended_.has_value();
  }));
  return ended_;
}

void Process::await(int options) noexcept {
  if (ended_) return;
  int status = 0;
  pid_t found = 0;
  do {
    found = ::waitpid(pid_, &status, options);
  } while (found < 0 && errno == EINTR);
  if (found != pid_) return;
  ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : signalled + WTERMSIG(status);
}

std::string Process::output() const {
  std::string text;
  std::array<char, 4'096> bytes{};
  while (true) {
    const ssize_t got =
        ::pread(output_, bytes.data(), bytes.size(), static_cast<off_t>(text.size()));
    if (got <= 0) return text;
    text.append(bytes.data(), static_cast<std::size_t>(got));
  }
}

std::string run(std::vector<std::string> words) {
  constexpr std::chrono::minutes longest{2};
  std::string command;
  for (const std::string& word : words)
    command += (command.empty() ? "" : " ") + word;
  Process process{std::move(words)};
  const std::optional<int> code = process.ended_within(longest);
  if (code == 0) return process.output();
  throw std::runtime_error{
      command + (code ? " ended with " + std::to_string(*code) : std::string{" does not end"}) +
      ": " + process.output()};
}

std::string spillway_program() {
  return word_or("SPILLWAY_PROGRAM", "it names the program of this build; ctest sets it");
}

}  // namespace spillway::test
