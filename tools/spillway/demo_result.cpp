#include "demo_result.hpp"

#include <array>
#include <ostream>

#include "load_report.hpp"
#include "text.hpp"

namespace spillway::program {
namespace {

using namespace std::chrono_literals;
using Time = DemoResult::Time;

// A figure that is held against a limit.
struct Target {
  const char* name;
  std::optional<Time> DemoResult::*value;
  Time at_most;
};
constexpr std::array targets{
    Target{"failover: broker killed, all accepted until then is safe", &DemoResult::failover,
           100ms},
    Target{"recovery: raw client's first ack, first outbox row acked", &DemoResult::first_row,
           100ms},
    Target{"outbox empty, from the same moment", &DemoResult::outbox_empty, 2s},
};
constexpr double outage_p99_at_most = 2;  // times that of the healthy phase

std::string text_of(const std::optional<Time>& time) {
  if (!time) return "not seen";
  const auto ns = time->count();
  return ns < 0 ? "-" + short_time(static_cast<std::uint64_t>(-ns))
                : short_time(static_cast<std::uint64_t>(ns));
}

std::string text_of(Time time) {
  return text_of(std::optional{time});
}

const PublishLatency& phase(const DemoResult& result, DemoAct act) {
  return result.publish[static_cast<std::size_t>(act)];
}

// Nothing when there was no such phase.
std::optional<double> outage_p99_ratio(const DemoResult& result) {
  const auto p99_of = [&](DemoAct act) {
    return static_cast<double>(phase(result, act).call.quantile(0.99).count());
  };
  const double healthy = p99_of(DemoAct::healthy);
  const double away = p99_of(DemoAct::away);
  return healthy > 0 && away > 0 ? std::optional{away / healthy} : std::nullopt;
}

std::string verdict(bool met) {
  return met ? "met" : "MISSED";
}

std::vector<std::string> latency_row(const std::string& name, const Histogram& histogram) {
  return {name, text_of(histogram.quantile(0.5)), text_of(histogram.quantile(0.99)),
          text_of(histogram.quantile(0.999)), grouped(histogram.count())};
}

std::vector<std::string> delay_row(const std::string& name, const Latency& delay) {
  return {name, short_time(delay.p50_ns), short_time(delay.p99_ns), short_time(delay.p999_ns),
          grouped(delay.count)};
}

std::vector<std::string> missed_times(const DemoResult& result) {
  std::vector<std::string> missed;
  for (const Target& target : targets) {
    const auto& value = result.*target.value;
    if (!value || *value > target.at_most) {
      missed.push_back(std::string{target.name} + ": " + text_of(value));
    }
  }
  if (outage_p99_ratio(result).value_or(0) > outage_p99_at_most) {
    missed.emplace_back("publish p99 while the broker is away: more than twice the healthy one");
  }
  return missed;
}

void count_row(std::vector<std::vector<std::string>>& rows, const std::string& name,
               std::uint64_t count, const std::string& note = "") {
  rows.push_back({name, grouped(count), note});
}

}  // namespace

std::uint64_t DemoResult::reordered() const noexcept {
  using enum verify::Kind;
  return audit.count(reordered_key) + audit.count(reordered_stream) + audit.count(overtaken);
}

std::uint64_t DemoResult::fatal_errors() const noexcept {
  std::uint64_t errors = metrics.relay.fatal_errors;
  for (const LaneMetrics& lane : metrics.lanes)
    errors += lane.recalls;
  return errors;
}

std::vector<std::string> DemoResult::failures(bool strict) const {
  std::vector<std::string> why;
  const auto fail_if = [&why](bool failed, const std::string& text) {
    if (failed) why.push_back(text);
  };
  for (std::size_t i = 0; i < verify::kinds; ++i) {
    const auto kind = static_cast<verify::Kind>(i);
    fail_if(audit.count(kind) != 0,
            grouped(audit.count(kind)) + " " + std::string{verify::title_of(kind)});
  }
  for (const std::string& doubt : audit.doubts)
    why.push_back(doubt);
  fail_if(audit.duplicates_marked != 0 && fatal_errors() == 0,
          "marked duplicates, and no fatal producer error");
  fail_if(audit.waiting + audit.held != 0, "rows are left in the outbox");
  fail_if(!was_healthy,
          "the lanes were not direct for a second before anything was killed: too busy a machine?");
  fail_if(was_healthy && !returned, "not every lane became direct again");
  fail_if(!settled, "not everything was settled at the end");
  fail_if(was_healthy && metrics.spilled == 0, "nothing was spilled");
  fail_if(metrics.accepted != accepted, "the pipeline counted " + grouped(metrics.accepted) +
                                            " accepted, its publishers " + grouped(accepted));
  fail_if(metrics.accepted !=
              metrics.delivered + metrics.spilled + metrics.dead_lettered + metrics.in_flight,
          "the counters break the conservation law");
  if (strict) {
    for (const std::string& missed : missed_times(*this))
      why.push_back(missed);
  }
  return why;
}

nlohmann::ordered_json json_of(const DemoResult& result) {
  const auto ms = [](const std::optional<Time>& time) -> nlohmann::ordered_json {
    if (!time) return nullptr;
    return std::chrono::duration<double, std::milli>(*time).count();
  };
  nlohmann::ordered_json publish;
  for (const auto& [name, act] :
       {std::pair{"healthy", DemoAct::healthy}, {"away", DemoAct::away}, {"back", DemoAct::back}}) {
    publish[name] = {{"call_ns", json_of(phase(result, act).call)},
                     {"from_due_ns", json_of(phase(result, act).from_due)}};
  }
  return {{"topic", result.topic},
          {"run", hex16(result.run)},
          {"pass", result.failures(false).empty()},
          {"failures", result.failures(false)},
          {"times_missed", missed_times(result)},
          {"seconds", result.seconds},
          {"accepted", result.accepted},
          {"refused", result.refused},
          {"delivered", result.metrics.delivered},
          {"spilled", result.metrics.spilled},
          {"relayed", result.metrics.relay.relayed},
          {"dead_lettered", result.metrics.dead_lettered + result.metrics.relay.dead_lettered},
          {"lost", result.audit.count(verify::Kind::lost)},
          {"reordered", result.reordered()},
          {"duplicates_marked", result.audit.duplicates_marked},
          {"duplicates_unmarked", result.audit.count(verify::Kind::duplicate_unmarked)},
          {"fatal_errors", result.fatal_errors()},
          {"failover_ms", ms(result.failover)},
          {"broker_start_ms", ms(result.broker_start)},
          {"recovery_ms", ms(result.first_row)},
          {"released_ms", ms(result.released)},
          {"outbox_empty_ms", ms(result.outbox_empty)},
          {"all_direct_ms", ms(result.all_direct)},
          {"outage_p99_ratio", outage_p99_ratio(result).value_or(0)},
          {"publish", publish},
          {"metrics", json_of(result.metrics)}};
}

void print(std::ostream& out, const DemoResult& result) {
  const Metrics& metrics = result.metrics;
  std::vector<std::vector<std::string>> counts{{"envelopes", "", ""}};
  count_row(counts, "accepted", result.accepted,
            result.refused == 0 ? "" : "after " + grouped(result.refused) + " refusals");
  count_row(counts, "delivered direct", metrics.delivered);
  count_row(counts, "spilled to the outbox", metrics.spilled);
  count_row(counts, "relayed", metrics.relay.relayed);
  count_row(counts, "dead-lettered", metrics.dead_lettered + metrics.relay.dead_lettered);
  count_row(counts, "lost", result.audit.count(verify::Kind::lost), "audited: the topic was read");
  count_row(counts, "reordered", result.reordered(), "audited");
  count_row(counts, "duplicates, unmarked", result.audit.count(verify::Kind::duplicate_unmarked),
            "audited");
  count_row(counts, "duplicates, marked", result.audit.duplicates_marked,
            result.fatal_errors() == 0
                ? "no fatal producer error"
                : grouped(result.fatal_errors()) + " fatal producer errors of librdkafka");
  print_table(out, counts);

  std::vector<std::vector<std::string>> times{{"times", "", "limit", ""}};
  for (const Target& target : targets) {
    const auto& value = result.*target.value;
    times.push_back({target.name, text_of(value), text_of(target.at_most),
                     verdict(value && *value <= target.at_most)});
  }
  times.push_back({"held records acked and released, likewise", text_of(result.released), "", ""});
  times.push_back({"every lane direct, from the same moment", text_of(result.all_direct), "", ""});
  times.push_back({"the broker's own start, for comparison", text_of(result.broker_start), "", ""});
  const auto ratio = outage_p99_ratio(result);
  times.push_back({"publish p99, broker away / healthy",
                   ratio ? std::to_string(*ratio).substr(0, 4) : "not seen", "2",
                   verdict(ratio && *ratio <= outage_p99_at_most)});
  if (metrics.outbox_processing_delay.count != 0) {
    // Rows that queue behind the backlog of an outage; without one it is a figure of its own.
    const Time p99{metrics.outbox_processing_delay.p99_ns};
    times.push_back({"outbox_processing_delay p99, Kafka up", text_of(p99), "", ""});
  }
  out << '\n';
  print_table(out, times);

  out << '\n';
  print_table(
      out,
      {{"latencies", "p50", "p99", "p99.9", "count"},
       latency_row("publish(), healthy", phase(result, DemoAct::healthy).call),
       latency_row("publish(), broker away", phase(result, DemoAct::away).call),
       latency_row("publish(), broker starting and back", phase(result, DemoAct::back).call),
       delay_row("outbox: committed to acked, Kafka up", metrics.outbox_processing_delay),
       delay_row("outbox: committed to acked, all rows", metrics.outbox_processing_delay_all)});
}

}  // namespace spillway::program
