#include "load_report.hpp"

#include <ostream>
#include <vector>

#include "text.hpp"

namespace spillway::program {
namespace {

nlohmann::ordered_json json_of(const Latency& latency) {
  return {{"count", latency.count}, {"p50", latency.p50_ns},   {"p90", latency.p90_ns},
          {"p99", latency.p99_ns},  {"p999", latency.p999_ns}, {"max", latency.max_ns},
          {"sum", latency.sum_ns}};
}

nlohmann::ordered_json json_of(const LaneMetrics& lane) {
  return {{"state", name_of(lane.state)},
          {"accepted", lane.accepted},
          {"delivered", lane.delivered},
          {"spilled", lane.spilled},
          {"dead_lettered", lane.dead_lettered},
          {"in_flight", lane.in_flight},
          {"held", lane.held},
          {"held_copies", lane.held_copies},
          {"trips", lane.trips},
          {"recalls", lane.recalls},
          {"renumbered", lane.renumbered},
          {"marked", lane.marked}};
}

std::string time_at(const Histogram& histogram, double quantile) {
  return short_time(static_cast<std::uint64_t>(histogram.quantile(quantile).count()));
}

std::vector<std::string> row_of(const std::string& name, const Histogram& histogram) {
  return {name,
          time_at(histogram, 0.5),
          time_at(histogram, 0.9),
          time_at(histogram, 0.99),
          time_at(histogram, 0.999),
          time_at(histogram, 1)};
}

std::vector<std::string> row_of(const std::string& name, const Latency& latency) {
  return {name,
          short_time(latency.p50_ns),
          short_time(latency.p90_ns),
          short_time(latency.p99_ns),
          short_time(latency.p999_ns),
          short_time(latency.max_ns)};
}

}  // namespace

double LoadReport::achieved_per_second() const noexcept {
  return seconds > 0 ? static_cast<double>(accepted) / seconds : 0;
}

bool LoadReport::rate_held() const noexcept {
  return achieved_per_second() >= 0.98 * plan.per_second;
}

nlohmann::ordered_json json_of(const Histogram& histogram) {
  const auto at = [&](double quantile) { return histogram.quantile(quantile).count(); };
  return {{"count", histogram.count()}, {"p50", at(0.5)},      {"p90", at(0.9)}, {"p99", at(0.99)},
          {"p999", at(0.999)},          {"p9999", at(0.9999)}, {"max", at(1)}};
}

nlohmann::ordered_json json_of(const Metrics& metrics) {
  nlohmann::ordered_json lanes = nlohmann::ordered_json::array();
  for (const LaneMetrics& lane : metrics.lanes)
    lanes.push_back(json_of(lane));
  return {
      {"accepted", metrics.accepted},
      {"delivered", metrics.delivered},
      {"spilled", metrics.spilled},
      {"dead_lettered", metrics.dead_lettered},
      {"in_flight", metrics.in_flight},
      {"journal_full", metrics.journal_full},
      {"too_large", metrics.too_large},
      {"recovered", metrics.recovered},
      {"torn", metrics.torn},
      {"journal_bytes", metrics.journal_bytes},
      {"journal_used_bytes", metrics.journal_used_bytes},
      {"outbox_queue_depth", metrics.outbox_queue_depth},
      {"kafka_publish_success_rate", metrics.kafka_publish_success_rate},
      {"outbox_fallback_rate", metrics.outbox_fallback_rate},
      {"publish_ns", json_of(metrics.publish)},
      {"ack_ns", json_of(metrics.ack)},
      {"outbox_processing_delay_ns", json_of(metrics.outbox_processing_delay)},
      {"outbox_processing_delay_all_ns", json_of(metrics.outbox_processing_delay_all)},
      {"last_failover_ns", metrics.last_failover_ns},
      {"last_return_ns", metrics.last_return_ns},
      {"relay",
       {{"running", metrics.relay.running},
        {"relayed", metrics.relay.relayed},
        {"dead_lettered", metrics.relay.dead_lettered},
        {"marked", metrics.relay.marked},
        {"wakeups", metrics.relay.wakeups},
        {"scans", metrics.relay.scans},
        {"adoptions", metrics.relay.adoptions},
        {"fatal_errors", metrics.relay.fatal_errors}}},
      {"lanes", lanes},
  };
}

nlohmann::ordered_json json_of(const LoadReport& report) {
  return {{"topic", report.topic},
          {"run", hex16(report.plan.run)},
          {"publishers", report.plan.publishers},
          {"first_publisher", report.first_publisher},
          {"payload_bytes", report.plan.payload_bytes},
          {"keys", report.plan.keys},
          {"rate", report.plan.per_second},
          {"achieved_rate", report.achieved_per_second()},
          {"rate_held", report.rate_held()},
          {"seconds", report.seconds},
          {"accepted", report.accepted},
          {"refused", report.refused},
          {"settled", report.settled},
          {"stopped", report.stopped},
          {"from_due_ns", json_of(report.latency.from_due)},
          {"publish_call_ns", json_of(report.latency.call)},
          {"metrics", json_of(report.metrics)},
          {"objectives", json_of(report.objectives)}};
}

void print(std::ostream& out, const LoadReport& report) {
  const Metrics& metrics = report.metrics;
  out << "run " << hex16(report.plan.run) << ", topic " << report.topic << ": "
      << grouped(report.accepted) << " accepted in " << report.seconds << " s, "
      << grouped(static_cast<std::uint64_t>(report.achieved_per_second())) << "/s\n";
  if (!report.rate_held() && !report.stopped) {
    out << "the rate of " << grouped(static_cast<std::uint64_t>(report.plan.per_second))
        << "/s was not held: latencies include the backlog\n";
  }
  print_table(out, {{"", "p50", "p90", "p99", "p99.9", "max"},
                    row_of("publish(), from the moment due", report.latency.from_due),
                    row_of("publish(), the call alone", report.latency.call),
                    row_of("acked by Kafka, direct", metrics.ack),
                    row_of("outbox: committed to acked", metrics.outbox_processing_delay_all)});
  out << "delivered " << grouped(metrics.delivered) << ", spilled " << grouped(metrics.spilled)
      << ", relayed " << grouped(metrics.relay.relayed) << ", dead letters "
      << grouped(metrics.dead_lettered) << ", in flight " << grouped(metrics.in_flight)
      << ", refused " << grouped(report.refused);
  if (metrics.recovered != 0) out << ", recovered " << grouped(metrics.recovered);
  out << "\n";
  if (!report.objectives.empty()) print_table(out, rows_of(report.objectives));
}

}  // namespace spillway::program
