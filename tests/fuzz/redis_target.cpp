// What a Redis server says, in pieces: a length of two bytes and so many bytes, again and again.

#include <chrono>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "adapters/redis/redis_wakeup.hpp"
#include "fuzz/input_reader.hpp"
#include "fuzz/target.hpp"
#include "support/temporary_directory.hpp"

namespace spillway::fuzz {
namespace {

constexpr std::size_t tokens_of_a_poll_max = 256;

class NoLog final : public ports::Log {
 public:
  void write(LogLevel /*level*/, std::string_view /*text*/) noexcept override {}
};

/// Listens on a socket with a name.
class Listener {
 public:
  Listener() : socket_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(&address.sun_path[0], sizeof address.sun_path - 1);
    // The sockets' interface takes every family by this type.
    const auto* const any = reinterpret_cast<const sockaddr*>(&address);
    expect(::bind(socket_, any, sizeof address) == 0 && ::listen(socket_, 8) == 0,
           "a socket can be listened on");
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { ::close(socket_); }

  [[nodiscard]] std::string path() const { return directory_.file("redis"); }
  [[nodiscard]] int accept() const { return ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC); }

 private:
  test::TemporaryDirectory directory_;
  int socket_;
};

/// Both ends of one connection: ours, and the server's that says anything.
template <class End, class Poll>
void converse(const Listener& listener, Input input, End& end, Poll poll) {
  core::Instant now{std::chrono::seconds{1}};
  poll(end, now);  // connects
  const int server = listener.accept();
  InputReader reader{input};
  while (!reader.at_end()) {
    const Input said = reader.piece();
    // What it cannot take now it is not told: the sockets' buffers are larger than most inputs.
    static_cast<void>(::send(server, said.data(), said.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
    now += std::chrono::milliseconds{1};
    poll(end, now);
  }
  ::close(server);
  now += std::chrono::milliseconds{1};
  poll(end, now);
  poll(end, now + std::chrono::milliseconds{20});
  expect(!end.is_up(), "a connection that was closed is not up");
}

}  // namespace

void hear_redis(Input input) {
  static const Listener listener;
  static NoLog log;
  const redis::RedisSettings settings{.url = "unix://" + listener.path()};

  redis::RedisReceiver receiver{settings, log};
  converse(listener, input, receiver, [](redis::RedisReceiver& end, core::Instant now) {
    expect(end.poll(now).tokens <= tokens_of_a_poll_max, "the tokens of a poll are bounded");
  });
  redis::RedisSender sender{settings, log};
  converse(listener, input, sender, [](redis::RedisSender& end, core::Instant now) {
    end.notify();
    end.poll(now);
  });
}

}  // namespace spillway::fuzz
