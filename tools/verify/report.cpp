#include "verify/report.hpp"

#include <nlohmann/json.hpp>

namespace spillway::verify {
namespace {

std::string line(std::string_view name, const std::string& value) {
  constexpr std::size_t name_width = 34;
  std::string text = "  ";
  text += name;
  text.resize(2 + name_width, ' ');
  return text + value + '\n';
}

std::string marks_by_cause(const AuditResult& result) {
  if (result.marked_fatal + result.marked_recovery + result.marked_lease == 0) return "";
  return " (messages marked: fatal " + std::to_string(result.marked_fatal) + ", recovery " +
         std::to_string(result.marked_recovery) + ", lease " + std::to_string(result.marked_lease) +
         ")";
}

std::string first_offender(const Finding& finding) {
  std::string text = finding.where;
  if (!finding.position.empty())
    text += (text.empty() ? "position " : "  position ") + finding.position;
  return text + (text.empty() ? "" : ": ") + finding.story;
}

std::string promise_lines(const AuditResult& result) {
  std::string text;
  for (std::size_t i = 0; i < promises; ++i) {
    const auto promise = static_cast<Promise>(i);
    const Judgement judgement = result.judgement(promise);
    std::string value{name_of(judgement)};
    if (judgement == Judgement::not_judged) {
      value +=
          " (" + (result.refusals.empty() ? result.not_judged[i] : result.refusals.front()) + ')';
    }
    std::string number = number_of(promise);
    number.resize(4, ' ');
    text += line(number + std::string{title_of(promise)}, value);
  }
  return text;
}

// The first offender, and what the logs say of it.
std::string violation(Kind kind, const Finding& finding) {
  std::string text = "VIOLATED";
  for (std::size_t i = 0; i < promises; ++i) {
    const auto promise = static_cast<Promise>(i);
    if (promises_of(kind).has(promise)) {
      text += ' ' + number_of(promise) + ' ' + std::string{title_of(promise)} + ',';
    }
  }
  text += ' ';
  text += title_of(kind);
  text += "  first of " + std::to_string(finding.count) + ": " + first_offender(finding) + '\n';
  for (const std::string& moment : finding.timeline)
    text += "  " + moment + '\n';
  return text;
}

nlohmann::ordered_json json_of(const Finding& finding) {
  nlohmann::ordered_json first{{"position", finding.position}, {"story", finding.story}};
  if (finding.place) {
    first["partition"] = finding.place->partition;
    first["offset"] = finding.place->offset;
  }
  if (!finding.timeline.empty()) first["timeline"] = finding.timeline;
  return first;
}

nlohmann::ordered_json json_of(const AuditResult& result, Promise promise) {
  const Judgement judgement = result.judgement(promise);
  nlohmann::ordered_json json{{"promise", title_of(promise)}, {"judgement", name_of(judgement)}};
  if (judgement == Judgement::not_judged) {
    json["why"] =
        result.refusals.empty() ? result.not_judged[index_of(promise)] : result.refusals.front();
  }
  for (const Kind kind : result.offences(promise))
    json["offences"].push_back(name_of(kind));
  return json;
}

}  // namespace

std::string text_report(const AuditResult& result) {
  std::string text = "topic " + result.topic + ", " + std::to_string(result.partitions) +
                     " partitions with messages\n";
  const auto figure = [&](std::string_view name, std::uint64_t value,
                          const std::string& more = "") {
    text += line(name, std::to_string(value) + more);
  };
  figure("messages", result.messages);
  figure("records", result.records);
  if (result.accepted) {
    figure("accepted", *result.accepted,
           result.unknown == 0
               ? ""
               : " (and " + std::to_string(result.unknown) + " not counted before a kill)");
  }
  figure("through the outbox", result.relayed);
  if (result.foreign != 0) figure("not of spillway load", result.foreign, ", judged by position");
  if (result.other_runs != 0) figure("of other runs", result.other_runs, ", judged by position");
  figure("publishers, streams", result.publishers, ", " + std::to_string(result.streams));
  figure("still in the outbox", result.waiting, ", held " + std::to_string(result.held));
  figure("dead letters", result.dead_letters);
  if (result.renumbered != 0) figure("renumbered", result.renumbered);
  figure("duplicates, marked", result.duplicates_marked, marks_by_cause(result));
  for (std::size_t i = 0; i < kinds; ++i) {
    const auto kind = static_cast<Kind>(i);
    // The first five are what everybody asks for; the others show when they happen.
    if (kind <= Kind::duplicate_unmarked || result.count(kind) != 0) {
      figure(title_of(kind), result.count(kind));
    }
  }
  text += promise_lines(result);
  for (std::size_t i = 0; i < kinds; ++i) {
    const Finding& finding = result.findings[i];
    if (finding.count != 0) text += violation(static_cast<Kind>(i), finding);
  }
  if (result.count(Kind::lost) != 0) {
    text += "  (what a journal still holds counts as lost here: `spillway journal inspect FILE`)\n";
  }
  for (const std::string& refusal : result.refusals)
    text += "REFUSED " + refusal + '\n';
  for (const std::string& doubt : result.doubts)
    text += "DOUBT " + doubt + '\n';
  text += "verify: ";
  text += name_of(result.verdict());
  return text + '\n';
}

std::string json_report(const AuditResult& result) {
  nlohmann::ordered_json report{
      {"topic", result.topic},
      {"verdict", name_of(result.verdict())},
      {"partitions", result.partitions},
      {"streams", result.streams},
      {"publishers", result.publishers},
      {"messages", result.messages},
      {"records", result.records},
      {"accepted", nullptr},
      {"unknown", result.unknown},
      {"relayed", result.relayed},
      {"foreign", result.foreign},
      {"other_runs", result.other_runs},
      {"waiting", result.waiting},
      {"held", result.held},
      {"dead_letters", result.dead_letters},
      {"renumbered", result.renumbered},
      {"duplicates_marked", result.duplicates_marked},
      {"marks",
       {{"fatal", result.marked_fatal},
        {"recovery", result.marked_recovery},
        {"lease", result.marked_lease}}},
      {"doubts", result.doubts},
      {"refusals", result.refusals},
      {"memory_bytes", result.memory_bytes},
  };
  if (result.accepted) report["accepted"] = *result.accepted;
  for (std::size_t i = 0; i < kinds; ++i) {
    const auto kind = static_cast<Kind>(i);
    const Finding& finding = result[kind];
    report[std::string{name_of(kind)}] = finding.count;
    if (finding.count == 0) continue;
    report["first"][std::string{name_of(kind)}] = json_of(finding);
  }
  for (std::size_t i = 0; i < promises; ++i) {
    const auto promise = static_cast<Promise>(i);
    report["promises"][number_of(promise)] = json_of(result, promise);
  }
  return report.dump(2) + '\n';
}

}  // namespace spillway::verify
