// spillway journal: looks into a journal file, or empties one whose process never returns.

#include "spillway/journal.hpp"

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "command.hpp"
#include "terminal.hpp"
#include "text.hpp"

namespace spillway::program {
namespace {

struct InspectOptions {
  std::string file;
  bool as_json = false;
};

struct DrainOptions {
  ConnectionOptions connection;
  std::string file;
  std::chrono::milliseconds within = std::chrono::seconds{60};
  bool as_json = false;
};

nlohmann::ordered_json json_of(const JournalReport& report) {
  nlohmann::ordered_json lanes = nlohmann::ordered_json::array();
  for (const JournalLane& lane : report.lanes) {
    lanes.push_back(
        {{"lane", lane.lane}, {"next_seq", lane.next_seq}, {"unsettled", lane.unsettled}});
  }
  nlohmann::ordered_json topics = nlohmann::ordered_json::array();
  for (const std::string& topic : report.topics)
    topics.push_back(printable(topic));
  return {{"path", report.path},
          {"version", report.version},
          {"instance", hex16(report.instance)},
          {"size_bytes", report.size_bytes},
          {"segments", report.segments},
          {"in_use", report.in_use},
          {"unnumbered", report.unnumbered},
          {"numbered", report.numbered},
          {"submitted", report.submitted},
          {"settled", report.settled},
          {"torn", report.torn},
          {"lanes", lanes},
          {"topics", topics}};
}

void print_report(const JournalReport& report) {
  std::cout << report.path << ": instance " << hex16(report.instance) << ", format "
            << report.version << ", " << grouped(report.size_bytes) << " bytes in "
            << grouped(report.segments) << " segments, "
            << (report.in_use ? "in use: its owner lives, the counts are a glimpse\n"
                              : "in use by nobody\n");
  print_table(std::cout,
              {{"RECORDS", "COUNT", "MEANING"},
               {"unnumbered", grouped(report.unnumbered), "accepted, not yet taken over by a lane"},
               {"numbered", grouped(report.numbered), "waiting for Kafka or the outbox"},
               {"submitted", grouped(report.submitted), "with librdkafka: may be in Kafka already"},
               {"settled", grouped(report.settled), "safe, their space not yet used again"},
               {"torn", grouped(report.torn), "half-written: publish() had not returned"}});
  std::vector<std::vector<std::string>> lanes{{"LANE", "NEXT SEQ", "UNSETTLED"}};
  for (const JournalLane& lane : report.lanes) {
    lanes.push_back({std::to_string(lane.lane), grouped(lane.next_seq), grouped(lane.unsettled)});
  }
  std::cout << "\n";
  print_table(std::cout, lanes);
  for (const std::string& topic : report.topics)
    std::cout << "topic " << printable(topic) << "\n";
}

ExitCode run_inspect(const InspectOptions& options) {
  const JournalReport report = inspect_journal(options.file);
  if (options.as_json) {
    std::cout << json_of(report).dump(2) << "\n";
  } else {
    print_report(report);
  }
  return ExitCode::passed;
}

ExitCode run_drain(const DrainOptions& options) {
  const Config config = options.connection.load().config;
  DrainResult result;
  {
    StatusLine status;
    result = drain_journal(options.file, config, options.within, [&status](std::uint64_t left) {
      status.show("draining: " + grouped(left) + " records to go");
    });
  }
  if (options.as_json) {
    const nlohmann::ordered_json json{
        {"found", result.found}, {"spilled", result.spilled}, {"left", result.left}};
    std::cout << json.dump(2) << "\n";
  } else {
    std::cout << "found " << grouped(result.found) << ", spilled " << grouped(result.spilled)
              << ", left " << grouped(result.left) << "\n";
  }
  if (result.left == 0) return ExitCode::passed;
  throw CommandError{ExitCode::failed,
                     grouped(result.left) +
                         " records are still in the journal; nothing is lost: run "
                         "it again, or with a longer --within"};
}

void add_inspect(CLI::App& journal, ExitCode& exit) {
  const auto options = std::make_shared<InspectOptions>();
  CLI::App& command = *journal.add_subcommand("inspect", "What is in it; changes nothing");
  command.add_option("FILE", options->file, "The journal")->required();
  command.add_flag("--json", options->as_json, "As JSON");
  command.footer("Example:\n  spillway journal inspect /dev/shm/spillway-1000.journal");
  command.callback([options, &exit] { exit = run_inspect(*options); });
}

void add_drain(CLI::App& journal, ExitCode& exit) {
  const auto options = std::make_shared<DrainOptions>();
  CLI::App& command = *journal.add_subcommand(
      "drain", "Move what is left in it to the outbox; a relay does the rest");
  command.add_option("FILE", options->file, "The journal of a process that never returns")
      ->required();
  options->connection.add_to(command);
  add_duration(command, "--within", options->within, "Give up after this");
  command.add_flag("--json", options->as_json, "As JSON");
  command.footer("Example:\n  spillway journal drain /dev/shm/spillway-1000.journal --within 2m");
  command.callback([options, &exit] { exit = run_drain(*options); });
}

}  // namespace

void add_journal(CLI::App& app, ExitCode& exit) {
  CLI::App& journal = *app.add_subcommand("journal", "Look into a journal file, or empty it");
  need_subcommand(journal);
  journal.footer("Example:\n  spillway journal inspect /dev/shm/spillway-1000.journal");
  add_inspect(journal, exit);
  add_drain(journal, exit);
}

}  // namespace spillway::program
