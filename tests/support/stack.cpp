#include "support/stack.hpp"

#include <cstdlib>
#include <exception>
#include <stdexcept>

#include <gtest/gtest.h>

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
