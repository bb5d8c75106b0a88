// spillway outbox ls | show | dead: what waits, and what can never be delivered.

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "outbox.hpp"
#include "record_text.hpp"
#include "spillway/outbox.hpp"
#include "text.hpp"

namespace spillway::program {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t payload_chars_max = 60;

struct ListOptions {
  ConnectionOptions connection;
  std::size_t rows = 0;
  bool as_json = false;
};

struct ShowOptions {
  ConnectionOptions connection;
  std::string position;
  bool as_json = false;
};

Json stream_json(const OutboxStream& stream) {
  return {{"instance", hex16(stream.instance)},
          {"lane", stream.lane},
          {"rows", stream.rows},
          {"held", stream.held},
          {"written_through", stream.written_through},
          {"relayed_through", stream.relayed_through},
          {"owner_alive", stream.owner_alive},
          {"leased", stream.leased},
          {"oldest", iso_time(stream.oldest)}};
}

void print_streams(const std::vector<OutboxStream>& streams) {
  std::vector<std::vector<std::string>> rows{
      {"STREAM", "ROWS", "HELD", "WRITTEN", "RELAYED", "OWNER", "RELAY", "OLDEST"}};
  for (const OutboxStream& stream : streams) {
    rows.push_back({hex16(stream.instance) + "-" + std::to_string(stream.lane),
                    grouped(stream.rows), grouped(stream.held),
                    std::to_string(stream.written_through), std::to_string(stream.relayed_through),
                    stream.owner_alive ? "alive" : "gone", stream.leased ? "leased" : "-",
                    iso_time(stream.oldest)});
  }
  print_table(std::cout, rows);
}

std::vector<std::string> line_of(const OutboxRecord& record) {
  return {record.position, printable(record.topic), shortened(record.key, payload_chars_max / 2),
          iso_time(record.accepted_at),
          record.error.empty() ? shortened(record.payload, payload_chars_max)
                               : printable(record.error)};
}

ExitCode run_ls(const ListOptions& options) {
  Outbox outbox = Outbox::open(options.connection.load().config);
  const std::vector<OutboxStream> streams = outbox.streams();
  Json json{{"streams", Json::array()}, {"rows", Json::array()}};
  std::vector<std::vector<std::string>> lines{{"POSITION", "TOPIC", "KEY", "ACCEPTED", "PAYLOAD"}};
  const auto take = [&](const OutboxRecord& record) {
    if (options.as_json) {
      json["rows"].push_back(json_of(record));
    } else {
      lines.push_back(line_of(record));
    }
  };
  if (options.rows > 0) outbox.for_each_row(options.rows, take);
  if (options.as_json) {
    for (const OutboxStream& stream : streams)
      json["streams"].push_back(stream_json(stream));
    std::cout << json.dump(2) << "\n";
    return ExitCode::passed;
  }
  print_streams(streams);
  if (lines.size() > 1) {
    std::cout << "\n";
    print_table(std::cout, lines);
  }
  return ExitCode::passed;
}

ExitCode run_show(const ShowOptions& options) {
  Outbox outbox = Outbox::open(options.connection.load().config);
  const auto record = outbox.find(options.position);
  if (!record) {
    throw CommandError{ExitCode::failed, "neither a row nor a dead letter is at " +
                                             printable(options.position) +
                                             "; it may have been relayed; `spillway outbox ls` and "
                                             "`spillway outbox dead` list what there is"};
  }
  if (options.as_json) {
    std::cout << json_of(*record).dump(2) << "\n";
  } else {
    print_record(std::cout, *record);
  }
  return ExitCode::passed;
}

ExitCode run_dead(const ListOptions& options) {
  Outbox outbox = Outbox::open(options.connection.load().config);
  Json json = Json::array();
  std::vector<std::vector<std::string>> lines{{"POSITION", "TOPIC", "KEY", "ACCEPTED", "ERROR"}};
  outbox.for_each_dead_letter(options.rows, [&](const OutboxRecord& record) {
    if (options.as_json) {
      json.push_back(json_of(record));
    } else {
      lines.push_back(line_of(record));
    }
  });
  if (options.as_json) {
    std::cout << json.dump(2) << "\n";
  } else {
    print_table(std::cout, lines);
  }
  return ExitCode::passed;
}

}  // namespace

void add_outbox_ls(CLI::App& outbox, ExitCode& exit) {
  const auto options = std::make_shared<ListOptions>();
  CLI::App& command =
      *outbox.add_subcommand("ls", "Each stream: what waits, who owns and who relays it");
  options->connection.add_to(command);
  command.add_option("--rows", options->rows, "Also the first N rows")->type_name("N");
  command.add_flag("--json", options->as_json, "As JSON");
  command.footer("Example:\n  spillway outbox ls --rows 20");
  command.callback([options, &exit] { exit = run_ls(*options); });
}

void add_outbox_show(CLI::App& outbox, ExitCode& exit) {
  const auto options = std::make_shared<ShowOptions>();
  CLI::App& command = *outbox.add_subcommand("show", "One row or dead letter, with all its bytes");
  options->connection.add_to(command);
  command.add_option("POSITION", options->position, "As in the header spillway-position")
      ->required();
  command.add_flag("--json", options->as_json, "As JSON; bytes that are no UTF-8 as NAME_base64");
  command.footer("Example:\n  spillway outbox show 1f2e3d4c5b6a7988-0-42");
  command.callback([options, &exit] { exit = run_show(*options); });
}

void add_outbox_dead(CLI::App& outbox, ExitCode& exit) {
  const auto options = std::make_shared<ListOptions>();
  options->rows = 1'000;
  CLI::App& command =
      *outbox.add_subcommand("dead", "Dead letters, the oldest first, each with its error");
  options->connection.add_to(command);
  command.add_option("--limit", options->rows, "So many at most")
      ->type_name("N")
      ->capture_default_str();
  command.add_flag("--json", options->as_json, "As JSON");
  command.footer("Example:\n  spillway outbox dead --json | jq -r '.[].error' | sort | uniq -c");
  command.callback([options, &exit] { exit = run_dead(*options); });
}

void add_outbox(CLI::App& app, ExitCode& exit) {
  CLI::App& outbox = *app.add_subcommand("outbox", "Look into the outbox; replay dead letters");
  need_subcommand(outbox);
  outbox.footer("Example:\n  spillway outbox ls");
  add_outbox_ls(outbox, exit);
  add_outbox_show(outbox, exit);
  add_outbox_dead(outbox, exit);
  add_outbox_replay(outbox, exit);
}

}  // namespace spillway::program
