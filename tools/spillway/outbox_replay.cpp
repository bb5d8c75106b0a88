// spillway outbox replay: dead letters are accepted anew, through a Pipeline with a journal of its
// own.
//
// A letter is removed after its envelope is settled, so at least once: whoever stops the program in
// between finds the letter still there, and replays it again.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <unistd.h>

#include "outbox.hpp"
#include "spillway/outbox.hpp"
#include "spillway/spillway.hpp"
#include "terminal.hpp"
#include "text.hpp"

namespace spillway::program {
namespace {

using std::chrono::steady_clock;

struct ReplayOptions {
  ConnectionOptions connection;
  std::vector<std::string> positions;
  bool all = false;
  std::chrono::milliseconds within = 30s;
};

// One lane, so that letters keep their order, and no more of /dev/shm than that needs.
Config config_for_replay(Config config) {
  constexpr std::size_t journal_bytes = std::size_t{16} << 20;
  config.journal.path = "/dev/shm/spillway-replay-" + std::to_string(getpid()) + ".journal";
  config.journal.size_bytes = journal_bytes;
  config.lanes.count = 1;
  config.lanes.cpus.clear();
  config.lanes.force_spill.clear();
  config.lanes.window_bytes = std::min(config.lanes.window_bytes, journal_bytes / 2);
  return config;
}

std::vector<Header> headers_of(const OutboxRecord& letter) {
  std::vector<Header> headers;
  headers.reserve(letter.headers.size());
  for (const auto& [name, value] : letter.headers) {
    headers.push_back(
        {.name = name, .value = value ? std::optional{bytes_of(*value)} : std::nullopt});
  }
  return headers;
}

class Replay {
 public:
  Replay(Outbox& outbox, const Config& config, std::chrono::milliseconds within)
      : outbox_{outbox},
        journal_{config.journal.path},
        within_{within},
        pipeline_{Pipeline::open(config)},
        publisher_{pipeline_.publisher()} {}
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;
  // The journal goes too, unless something is in it.
  ~Replay() {
    std::error_code ignored;
    if (pipeline_.close(steady_clock::now() + within_)) {
      std::filesystem::remove(journal_, ignored);
    }
  }

  // False: the letter is still there. Nothing else is then certain.
  bool one(const std::string& position) {
    const auto letter = outbox_.find(position);
    if (!letter || letter->error.empty()) {
      return refuse(position, "is no dead letter; `spillway outbox dead` lists them");
    }
    try {
      const Topic topic = pipeline_.topic(letter->topic);
      publish(*letter, topic);
    } catch (const StartError& error) {
      return refuse(position, error.what());
    }
    if (!outbox_.remove_dead_letter(position)) {
      return refuse(position, "was removed by somebody else meanwhile: it may be replayed twice");
    }
    return true;
  }

  [[nodiscard]] Metrics metrics() const { return pipeline_.metrics(); }

 private:
  static bool refuse(const std::string& position, const std::string& why) {
    std::cerr << coloured(STDERR_FILENO, Colour::red, printable(position)) << ": " << why << "\n";
    return false;
  }

  void publish(const OutboxRecord& letter, const Topic& topic) {
    const std::vector<Header> headers = headers_of(letter);
    const Envelope envelope{.topic = topic,
                            .key = letter.key ? Key{bytes_of(*letter.key)} : no_key,
                            .payload = letter.payload ? bytes_of(*letter.payload) : Bytes{},
                            .headers = headers,
                            .event_time = letter.event_time,
                            .tombstone = !letter.payload};
    const auto ticket = publisher_.publish_within(within_, envelope).ticket();
    if (!ticket) {
      throw CommandError{ExitCode::inconclusive,
                         letter.position +
                             " was not accepted; neither Kafka nor Postgres took "
                             "letters for long; run it again when they do"};
    }
    if (pipeline_.wait(*ticket, steady_clock::now() + within_) == Outcome::pending) {
      throw CommandError{ExitCode::inconclusive,
                         letter.position +
                             " is not safe yet: neither Kafka nor Postgres took it in time. It is "
                             "still a dead letter; a copy that is left is in " +
                             journal_ + ", for `spillway journal drain`"};
    }
  }

  Outbox& outbox_;
  std::string journal_;
  std::chrono::milliseconds within_;
  Pipeline pipeline_;
  Publisher publisher_;
};

// At the start: a letter that is refused again is a new one, and is not met again.
std::vector<std::string> all_positions(Outbox& outbox) {
  std::vector<std::string> positions;
  outbox.for_each_dead_letter(
      std::numeric_limits<std::int64_t>::max(),
      [&positions](const OutboxRecord& letter) { positions.push_back(letter.position); });
  return positions;
}

ExitCode run_replay(const ReplayOptions& options) {
  if (options.all == !options.positions.empty()) {
    throw CommandError{ExitCode::usage, "give either positions or --all; try --help"};
  }
  const Config config = config_for_replay(options.connection.load().config);
  Outbox outbox = Outbox::open(config);
  const auto positions = options.all ? all_positions(outbox) : options.positions;
  Replay replay{outbox, config, options.within};
  std::uint64_t replayed = 0;
  {
    StatusLine status;
    for (std::size_t i = 0; i < positions.size(); ++i) {
      status.show("replaying " + grouped(i + 1) + " of " + grouped(positions.size()));
      if (replay.one(positions[i])) ++replayed;
    }
  }
  const Metrics metrics = replay.metrics();
  std::cout << "replayed " << grouped(replayed) << " of " << grouped(positions.size())
            << " dead letters: " << grouped(metrics.delivered) << " are in Kafka, "
            << grouped(metrics.spilled) << " in the outbox for a relay, "
            << grouped(metrics.dead_lettered) << " dead letters again, at new positions\n";
  const bool is_all = replayed == positions.size() && metrics.dead_lettered == 0;
  return is_all ? ExitCode::passed : ExitCode::failed;
}

}  // namespace

void add_outbox_replay(CLI::App& outbox, ExitCode& exit) {
  const auto options = std::make_shared<ReplayOptions>();
  CLI::App& command =
      *outbox.add_subcommand("replay", "Publish dead letters anew, then remove them");
  options->connection.add_to(command);
  command.add_option("POSITION", options->positions, "Of the letters");
  command.add_flag("--all", options->all, "Every letter that there is now, the oldest first");
  add_duration(command, "--within", options->within, "Give up a letter after this");
  command.footer(
      "At least once: a letter is removed after its envelope is settled, under a new position.\n"
      "Stopped in between, the letter is still there, and sent again next time.\n\nExample:\n"
      "  spillway outbox replay --all");
  command.callback([options, &exit] { exit = run_replay(*options); });
}

}  // namespace spillway::program
