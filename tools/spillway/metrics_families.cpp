#include "metrics_families.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace spillway::program {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;
using Labels = std::vector<ClientMetric::Label>;

constexpr double ns_per_second = 1e9;

double seconds(std::uint64_t ns) {
  return static_cast<double>(ns) / ns_per_second;
}

ClientMetric gauge(double value, Labels labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  return metric;
}

ClientMetric counter(std::uint64_t value, Labels labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = static_cast<double>(value);
  return metric;
}

ClientMetric histogram(const Latency& latency, Labels labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.histogram.sample_count = latency.count;
  metric.histogram.sample_sum = seconds(latency.sum_ns);
  for (const Latency::Bucket& bucket : latency.buckets) {
    const bool is_last = bucket.upper_ns == std::numeric_limits<std::uint64_t>::max();
    ClientMetric::Bucket exposed;
    exposed.cumulative_count = bucket.count;
    exposed.upper_bound =
        is_last ? std::numeric_limits<double>::infinity() : seconds(bucket.upper_ns);
    metric.histogram.bucket.push_back(exposed);
  }
  return metric;
}

// For what is far below a histogram's first bucket.
ClientMetric summary(const Latency& latency) {
  ClientMetric metric;
  metric.summary.sample_count = latency.count;
  metric.summary.sample_sum = seconds(latency.sum_ns);
  const std::array<std::pair<double, std::uint64_t>, 4> quantiles{
      std::pair{0.5, latency.p50_ns}, std::pair{0.9, latency.p90_ns},
      std::pair{0.99, latency.p99_ns}, std::pair{0.999, latency.p999_ns}};
  for (const auto& [quantile, ns] : quantiles) {
    ClientMetric::Quantile exposed;
    exposed.quantile = quantile;
    exposed.value = seconds(ns);
    metric.summary.quantile.push_back(exposed);
  }
  return metric;
}

void add(Families& to, const char* name, const char* help, MetricType type,
         std::vector<ClientMetric> metrics) {
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  family.metric = std::move(metrics);
  to.push_back(std::move(family));
}

void add_gauge(Families& to, const char* name, const char* help, double value) {
  add(to, name, help, MetricType::Gauge, {gauge(value)});
}

void add_counter(Families& to, const char* name, const char* help, std::uint64_t value) {
  add(to, name, help, MetricType::Counter, {counter(value)});
}

void add_delay(Families& to, const Latency& while_up, const Latency& all) {
  add(to, "outbox_processing_delay", "Seconds from COMMIT in the outbox to Kafka's ack",
      MetricType::Histogram,
      {histogram(while_up, {{"rows", "kafka_up"}}), histogram(all, {{"rows", "all"}})});
}

void add_servers(Families& to, const ServerMetrics& servers) {
  add(to, "spillway_server_up", "1 while the server answers", MetricType::Gauge,
      {gauge(servers.kafka_up ? 1 : 0, {{"server", "kafka"}}),
       gauge(servers.postgres_up ? 1 : 0, {{"server", "postgres"}}),
       gauge(servers.redis_up ? 1 : 0, {{"server", "redis"}})});
}

void add_relay(Families& to, const RelayMetrics& relay) {
  add_gauge(to, "spillway_relay_running", "1 while this process forwards the outbox",
            relay.running ? 1 : 0);
  add_counter(to, "spillway_relayed_total", "Outbox rows that Kafka acked", relay.relayed);
  add_counter(to, "spillway_relay_dead_lettered_total", "Rows that can never be delivered",
              relay.dead_lettered);
  add_counter(to, "spillway_relay_marked_total", "Rows sent with a spillway-resend mark",
              relay.marked);
  add_counter(to, "spillway_relay_wakeups_total", "Redis tokens received", relay.wakeups);
  add_counter(to, "spillway_relay_scans_total", "Looks at the table of streams", relay.scans);
  add_counter(to, "spillway_relay_adoptions_total", "Streams of dead owners taken over",
              relay.adoptions);
  add_counter(to, "spillway_relay_fatal_errors_total", "Fatal errors of the relay's producer",
              relay.fatal_errors);
  add_gauge(to, "spillway_relay_leases", "Streams that this relay forwards",
            static_cast<double>(relay.leases));
  add_gauge(to, "spillway_relay_interval_seconds", "The rung that it would wait now",
            seconds(relay.interval_ns));
}

void add_conservation(Families& to, const Metrics& metrics) {
  add_counter(to, "spillway_accepted_total", "Envelopes that publish() took, or found at start",
              metrics.accepted);
  add_counter(to, "spillway_delivered_total", "Acked by Kafka on the direct path",
              metrics.delivered);
  add_counter(to, "spillway_spilled_total", "Rows in the outbox that a relay has to forward",
              metrics.spilled);
  add_counter(to, "spillway_dead_lettered_total", "Stored as dead letters by the writer",
              metrics.dead_lettered);
  add_gauge(to, "spillway_in_flight", "Accepted, outcome open; counted in the journal",
            static_cast<double>(metrics.in_flight));
  add_counter(to, "spillway_recovered_total", "Of the accepted: left by a former process",
              metrics.recovered);
  add_counter(to, "spillway_torn_total", "Half-written records found at start, and skipped",
              metrics.torn);
  add(to, "spillway_refused_total", "Envelopes that publish() refused", MetricType::Counter,
      {counter(metrics.journal_full, {{"reason", "journal_full"}}),
       counter(metrics.too_large, {{"reason", "too_large"}})});
}

std::vector<ClientMetric> lane_states(const std::vector<LaneMetrics>& lanes) {
  using enum LaneState;
  std::vector<ClientMetric> states;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    for (const LaneState state : {direct, spilling, returning, recalling}) {
      states.push_back(
          gauge(lanes[i].state == state ? 1 : 0,
                {{"lane", std::to_string(i)}, {"state", std::string{name_of(state)}}}));
    }
  }
  return states;
}

std::vector<ClientMetric> each_lane(const std::vector<LaneMetrics>& lanes, MetricType type,
                                    std::uint64_t LaneMetrics::*value) {
  std::vector<ClientMetric> metrics;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    Labels labels{{"lane", std::to_string(i)}};
    const std::uint64_t number = lanes[i].*value;
    metrics.push_back(type == MetricType::Counter
                          ? counter(number, std::move(labels))
                          : gauge(static_cast<double>(number), std::move(labels)));
  }
  return metrics;
}

void add_lanes(Families& to, const std::vector<LaneMetrics>& lanes) {
  struct Row {
    const char* name;
    const char* help;
    MetricType type;
    std::uint64_t LaneMetrics::*value;
  };
  constexpr std::array rows{
      Row{"spillway_lane_in_flight", "In the journal, outcome open", MetricType::Gauge,
          &LaneMetrics::in_flight},
      Row{"spillway_lane_held", "Left with librdkafka when the lane stopped feeding",
          MetricType::Gauge, &LaneMetrics::held},
      Row{"spillway_lane_accepted_total", "Taken over from publishers", MetricType::Counter,
          &LaneMetrics::accepted},
      Row{"spillway_lane_delivered_total", "Acked by Kafka on the direct path", MetricType::Counter,
          &LaneMetrics::delivered},
      Row{"spillway_lane_spilled_total", "Rows that a relay has to forward", MetricType::Counter,
          &LaneMetrics::spilled},
      Row{"spillway_lane_held_copies_total", "Copies of held records COMMITted",
          MetricType::Counter, &LaneMetrics::held_copies},
      Row{"spillway_lane_trips_total", "Times that it went from direct to spilling",
          MetricType::Counter, &LaneMetrics::trips},
      Row{"spillway_lane_recalls_total", "Fatal producer errors", MetricType::Counter,
          &LaneMetrics::recalls},
      Row{"spillway_lane_renumbered_total", "Records of a refused batch under a new seq",
          MetricType::Counter, &LaneMetrics::renumbered},
      Row{"spillway_lane_marked_total", "Rows spilled with a spillway-resend mark",
          MetricType::Counter, &LaneMetrics::marked},
  };
  add(to, "spillway_lane_state", "1 for the state that the lane is in", MetricType::Gauge,
      lane_states(lanes));
  for (const Row& row : rows) {
    add(to, row.name, row.help, row.type, each_lane(lanes, row.type, row.value));
  }
}

}  // namespace

Families families_of(const Metrics& metrics) {
  Families families;
  add_gauge(families, "kafka_publish_success_rate",
            "Share of envelopes that Kafka took directly, over about ten seconds",
            metrics.kafka_publish_success_rate);
  add_gauge(families, "outbox_fallback_rate",
            "Share of envelopes that went to the outbox, over about ten seconds",
            metrics.outbox_fallback_rate);
  add_gauge(families, "outbox_queue_depth", "Rows not yet relayed",
            static_cast<double>(metrics.outbox_queue_depth));
  add_delay(families, metrics.outbox_processing_delay, metrics.outbox_processing_delay_all);
  add_conservation(families, metrics);
  add_lanes(families, metrics.lanes);
  add_relay(families, metrics.relay);
  add_servers(families, metrics.servers);
  add_gauge(families, "spillway_journal_bytes", "Size of the journal",
            static_cast<double>(metrics.journal_bytes));
  add_gauge(families, "spillway_journal_used_bytes", "Of these in use",
            static_cast<double>(metrics.journal_used_bytes));
  add(families, "spillway_publish_seconds", "One publish(), one call in 64 timed",
      MetricType::Summary, {summary(metrics.publish)});
  add(families, "spillway_ack_seconds", "From publish() to Kafka's ack, direct path",
      MetricType::Histogram, {histogram(metrics.ack)});
  add_gauge(families, "spillway_last_failover_seconds",
            "From the last trip until all accepted before it was safe",
            seconds(metrics.last_failover_ns));
  add_gauge(families, "spillway_last_return_seconds",
            "From Kafka's first report after it until direct again",
            seconds(metrics.last_return_ns));
  return families;
}

Families families_of(const RelayReport& report) {
  Families families;
  add_gauge(families, "outbox_queue_depth", "Rows not yet relayed, over all streams",
            static_cast<double>(report.outbox_queue_depth));
  add_delay(families, report.outbox_processing_delay, report.outbox_processing_delay_all);
  add_relay(families, report.relay);
  add_servers(families, report.servers);
  return families;
}

}  // namespace spillway::program
