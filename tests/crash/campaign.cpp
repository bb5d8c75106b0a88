#include "crash/campaign.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <thread>

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash/content.hpp"

namespace spillway::crash {
namespace {

constexpr std::uint64_t lives_max = 5;
constexpr std::uint64_t instructions_max = 4'000;
constexpr std::uint64_t moment_us_max = 20'000;
constexpr std::array payload_bytes_max{std::size_t{64}, all_alike, std::size_t{2'000},
                                       std::size_t{400'000}};

// About as often as a life passes it.
std::uint64_t passes_max(Point point) noexcept {
  switch (point) {
    case Point::open:
    case Point::recover:
    case Point::adopt:
      return 1;
    case Point::recycle:
      return 12;
    case Point::step:
    case Point::report:
      return 300;
    case Point::publish:
    case Point::submit:
      return 1'000;
  }
  return 1;
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw std::system_error{errno, std::generic_category(), "waitpid"};
  }
  return status;
}

/// Lets a stopped child run for so many instructions, at most. The last status.
int step_on(pid_t child, std::uint64_t instructions) {
  int status = 0;
  for (std::uint64_t i = 0; i < instructions; ++i) {
    if (::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) {
      throw std::system_error{errno, std::generic_category(), "ptrace"};
    }
    status = wait_for(child);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) return status;
  }
  ::kill(child, SIGKILL);
  return wait_for(child);
}

}  // namespace

bool Campaign::run() {
  Dice dice{seed_ + runs_ + 1};
  const std::size_t found_before = findings_.size();
  const test::TemporaryDirectory directory;
  const Work work = dice.one_in(4) ? Work::threads : Work::in_turns;
  const LifeOrder order =
      begin_run(directory, work, payload_bytes_max[dice.below(payload_bytes_max.size())]);

  const std::uint64_t lives = 1 + dice.below(lives_max);
  for (std::uint64_t i = 0; i < lives; ++i) {
    kill_one_life(order, dice);
    note_unknown();
    // Not always: the next life is to find the image as the kill left it.
    if (dice.one_in(2)) expect_same_recovery_twice(order.journal);
  }
  end_run(directory, order);
  return findings_.size() == found_before;
}

bool Campaign::walk_a_publish(std::uint64_t instructions) {
  const std::size_t found_before = findings_.size();
  const test::TemporaryDirectory directory;
  LifeOrder order = begin_run(directory, Work::in_turns, all_alike);
  order.seed = seed_;
  // A whole life, so that every segment a later one takes has records in it.
  const pid_t first = fork_life(order, false);
  expect_killed(first, wait_for(first));
  note_unknown();
  order.stop_at = StopAt{.point = Point::publish, .pass = 3};
  for (std::uint64_t i = 1; i <= instructions; ++i) {
    kill_behind(order, i);
    note_unknown();
  }
  end_run(directory, order);
  return findings_.size() == found_before;
}

LifeOrder Campaign::begin_run(const test::TemporaryDirectory& directory, Work work,
                              std::size_t payload_bytes) {
  ++runs_;
  ledger_.clear();
  accepts_ = {};
  accepts_.in_one_thread = work == Work::in_turns;
  return {.journal = directory.file("journal"),
          .work = work,
          .payload_bytes_max = payload_bytes,
          .stop_at = std::nullopt};
}

void Campaign::end_run(const test::TemporaryDirectory& directory, const LifeOrder& order) {
  expect_drained(order);
  for (const std::string& violation : violations_of(accepts_, ledger_->all_sent()))
    find(violation);
  for (const auto& entry : std::filesystem::directory_iterator{directory.path()}) {
    if (entry.path() != order.journal) find("left behind: " + entry.path().filename().string());
  }
  records_ += ledger_->all_sent().size();
}

void Campaign::kill_one_life(LifeOrder order, Dice& dice) {
  order.seed = dice.next();
  if (order.work == Work::threads || dice.one_in(4)) {
    kill_at_a_moment(order, dice);
  } else {
    kill_behind_a_point(order, dice);
  }
}

void Campaign::kill_behind_a_point(LifeOrder order, Dice& dice) {
  const Point point{static_cast<std::uint8_t>(dice.below(points))};
  order.stop_at = StopAt{.point = point, .pass = dice.log_uniform(passes_max(point))};
  kill_behind(order, dice.log_uniform(instructions_max));
}

void Campaign::kill_behind(const LifeOrder& order, std::uint64_t instructions) {
  const pid_t child = fork_life(order, true);
  int status = wait_for(child);
  if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP) {
    status = step_on(child, instructions);
    if (WIFSIGNALED(status)) ++kills_behind_[static_cast<std::size_t>(order.stop_at->point)];
  }
  expect_killed(child, status);
}

void Campaign::kill_at_a_moment(const LifeOrder& order, Dice& dice) {
  const std::chrono::microseconds moment{dice.log_uniform(moment_us_max)};
  const pid_t child = fork_life(order, false);
  std::this_thread::sleep_for(moment);
  ::kill(child, SIGKILL);
  const int status = wait_for(child);
  if (WIFSIGNALED(status)) ++kills_at_a_moment_;
  expect_killed(child, status);
}

pid_t Campaign::fork_life(const LifeOrder& order, bool traced) {
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error{errno, std::generic_category(), "fork"};
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (traced && ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) std::_Exit(1);
  std::_Exit(live(order, *ledger_));
}

// It may have come to its end before the moment did.
void Campaign::expect_killed(pid_t child, int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
    ++kills_;
    return;
  }
  if (WIFSTOPPED(status)) {
    find("a life was ended by signal " + std::to_string(WSTOPSIG(status)));
    ::kill(child, SIGKILL);
    wait_for(child);
    return;
  }
  find("a life was ended by itself, status " + std::to_string(status));
}

void Campaign::note_unknown() {
  for (std::uint32_t i = 0; i < publishers; ++i) {
    AcceptLog& log = ledger_->publisher[i];
    if (log.begun != log.accepted) {
      accepts_.unknown.insert({.publisher = i, .number = log.begun});
      log.accepted = log.begun.load();
    }
    accepts_.last[i] = log.accepted;
  }
}

void Campaign::expect_same_recovery_twice(const std::string& journal) {
  const std::uint64_t first = digest_of_recovery(journal);
  if (digest_of_recovery(journal) != first) find("a second recovery differs from the first");
}

void Campaign::expect_drained(LifeOrder order) {
  order.work = Work::drain;
  const int status = wait_for(fork_life(order, false));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    find("the last life did not drain the journal, status " + std::to_string(status));
  }
}

void Campaign::find(const std::string& what) {
  findings_.push_back("seed " + std::to_string(seed_) + " run " + std::to_string(runs_) + ": " +
                      what);
}

}  // namespace spillway::crash
