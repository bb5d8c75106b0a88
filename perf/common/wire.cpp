#include "perf/common/wire.hpp"

#include <memory>

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/spillway/command.hpp"

namespace spillway::perf {
namespace {

using namespace std::chrono_literals;

constexpr auto stop_is_seen_within = 20ms;

class Socket {
 public:
  explicit Socket(const addrinfo& to) noexcept
      : file_{::socket(to.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0)} {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (file_ >= 0) ::close(file_);
  }
  [[nodiscard]] bool connect(const addrinfo& to) const noexcept {
    return file_ >= 0 && ::connect(file_, to.ai_addr, to.ai_addrlen) == 0;
  }
  /// True: it has ended; a broker says nothing unasked.
  [[nodiscard]] bool ends_within(std::chrono::milliseconds time) const noexcept {
    pollfd waited{.fd = file_, .events = POLLIN | POLLRDHUP, .revents = 0};
    return ::poll(&waited, 1, static_cast<int>(time.count())) > 0;
  }

 private:
  int file_;
};

}  // namespace

Wire::Wire(const std::string& servers) {
  const std::string first = servers.substr(0, servers.find(','));
  const std::size_t colon = first.rfind(':');
  if (colon == std::string::npos) {
    throw program::CommandError{program::ExitCode::usage, first + " names no port"};
  }
  host_ = first.substr(0, colon);
  port_ = first.substr(colon + 1);
  thread_ = std::jthread{[this](const std::stop_token& stop) { look(stop); }};
}

void Wire::look(const std::stop_token& stop) noexcept {
  sharpen_sleeps();
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host_.c_str(), port_.c_str(), &hints, &found) != 0) return;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> address{found, ::freeaddrinfo};
  while (!stop.stop_requested()) {
    const Socket socket{*address};
    if (!socket.connect(*address)) {
      std::this_thread::sleep_for(1ms);
      continue;
    }
    opened_.note(Clock::now());
    while (!stop.stop_requested()) {
      if (!socket.ends_within(stop_is_seen_within)) continue;
      broken_.note(Clock::now());
      return;
    }
  }
}

}  // namespace spillway::perf
