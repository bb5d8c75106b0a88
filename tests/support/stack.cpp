#include "support/stack.hpp"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <system_error>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "support/process.hpp"

namespace spillway::test {
namespace {

std::string script() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no test changes its environment.
  const char* const file = std::getenv("SPILLWAY_STACK");
  if (file == nullptr) {
    throw std::runtime_error{"SPILLWAY_STACK is not set: it names tools/stack; ctest sets it"};
  }
  return file;
}

// A server that does not come back fails this test; the next one says so again.
template <class Action>
void end_fault(Action action) {
  try {
    action();
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
}

}  // namespace

Stack::Stack() : script_{script()} {
  run({script_, "status"});
}

void Stack::kill(Server server) const {
  run({script_, "kill", name_of(server)});
}

void Stack::restart(Server server) const {
  run({script_, "restart", name_of(server)});
}

void Stack::start(Server server) const {
  run({script_, "start", name_of(server)});
}

void Stack::pause(Server server) const {
  run({script_, "pause", name_of(server)});
}

void Stack::resume(Server server) const {
  run({script_, "resume", name_of(server)});
}

void Stack::limit_files(Server server, std::size_t bytes) const {
  const rlimit limit{.rlim_cur = bytes, .rlim_max = bytes};
  if (::prlimit(pid(server), RLIMIT_FSIZE, &limit, nullptr) != 0) {
    throw std::runtime_error{name_of(server) + ": its files cannot be limited: " +
                             std::generic_category().message(errno)};
  }
}

bool Stack::runs(Server server) const {
  Process asked{{script_, "pid", name_of(server)}};
  return asked.ended_within(std::chrono::seconds{10}) == 0;
}

pid_t Stack::pid(Server server) const {
  return std::stoi(run({script_, "pid", name_of(server)}));
}

void Stack::restore() const {
  run({script_, "up"});
}

Killed::Killed(const Stack& stack, Server server) : stack_{stack}, server_{server} {
  stack_.kill(server_);
}

Killed::~Killed() {
  end_fault([this] { stack_.start(server_); });
}

Paused::Paused(const Stack& stack, Server server) : stack_{stack}, server_{server} {
  stack_.pause(server_);
}

Paused::~Paused() {
  end_fault([this] { stack_.resume(server_); });
}

}  // namespace spillway::test
