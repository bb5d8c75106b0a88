// A line for each thing: its name, then its numbers. Durations are nanoseconds, rates parts per
// million.

#include <istream>
#include <ostream>
#include <sstream>
#include <type_traits>

#include "sim/plan.hpp"

namespace spillway::sim {
namespace {

constexpr const char* first_line = "spillway-sim-plan 1";

/// Numbers to text.
class Writer {
 public:
  explicit Writer(std::ostream& out) : out_{out} {}
  template <class... Numbers>
  void operator()(const char* name, const Numbers&... numbers) {
    out_ << name;
    (put(numbers), ...);
    out_ << '\n';
  }

 private:
  template <class Number>
  void put(const Number& number) {
    if constexpr (std::is_same_v<Number, Duration>)
      out_ << ' ' << number.count();
    else if constexpr (std::is_same_v<Number, Rate>)
      out_ << ' ' << number.ppm;
    else
      out_ << ' ' << static_cast<std::int64_t>(number);
  }
  std::ostream& out_;
};

/// The same calls, on one line that was read: fills what the line names.
class Reader {
 public:
  explicit Reader(const std::string& line) : in_{line} { in_ >> name_; }
  template <class... Numbers>
  void operator()(const char* name, Numbers&... numbers) {
    if (name_ != name) return;
    is_known_ = true;
    (get(numbers), ...);
    is_whole_ = !in_.fail();
  }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool is_good() const { return is_known_ && is_whole_; }

 private:
  template <class Number>
  void get(Number& number) {
    std::int64_t value = 0;
    in_ >> value;
    if constexpr (std::is_same_v<Number, Duration>)
      number = Duration{value};
    else if constexpr (std::is_same_v<Number, Rate>)
      number = {static_cast<std::uint32_t>(value)};
    else
      number = static_cast<Number>(value);
  }
  std::istringstream in_;
  std::string name_;
  bool is_known_ = false;
  bool is_whole_ = false;
};

template <class Visit, class Thing>
void visit_scalars(Visit& visit, Thing& plan) {
  visit("seed", plan.seed);
  visit("tick", plan.tick);
  visit("relays", plan.relays);
  auto& loops = plan.loops;
  visit("window_records", loops.window_records);
  visit("credit_rows", loops.credit_rows);
  visit("backlog_rows", loops.backlog_rows);
  visit("high_water_percent", loops.high_water_percent);
  visit("writer_batch_rows", loops.writer_batch_rows);
  visit("broker_batch_records", loops.broker_batch_records);
  visit("relay_broker_batch_records", loops.relay_broker_batch_records);
  visit("requests_in_flight", loops.requests_in_flight);
  visit("relay_batch_rows", loops.relay_batch_rows);
  visit("relay_window_rows", loops.relay_window_rows);
  visit("segment_bytes", loops.segment_bytes);
  visit("failover_after", loops.failover_after);
  visit("relaxed_for", loops.relaxed_for);
  visit("return_within", loops.return_within);
  visit("poll_start", loops.poll_start);
  visit("owner_grace", loops.owner_grace);
  visit("lease_timeout", loops.lease_timeout);
  auto& kafka = plan.faults.kafka;
  visit("request_lost", kafka.request_lost);
  visit("answer_lost", kafka.answer_lost);
  visit("fatal", kafka.fatal);
  visit("busy", kafka.busy);
  visit("poison_record", kafka.poison_record);
  visit("reports_shuffled", kafka.reports_shuffled);
  visit("kept_back", kafka.kept_back);
  auto& postgres = plan.faults.postgres;
  visit("lost_before_commit", postgres.lost_before_commit);
  visit("lost_after_commit", postgres.lost_after_commit);
  visit("limbo", postgres.limbo);
  visit("passing_error", postgres.passing_error);
  visit("session_killed", postgres.session_killed);
  visit("notice", postgres.notice.min, postgres.notice.max);
  visit("async_forgotten", postgres.async_forgotten);
  auto& redis = plan.faults.redis;
  visit("push_lost", redis.push_lost);
  visit("push_doubled", redis.push_doubled);
  visit("push_late", redis.push_late);
  visit("token_lost", redis.token_lost);
  visit("list_max", redis.list_max);
}

template <class Visit, class Thing>
void visit_one(Visit& visit, const char* name, Thing& thing) {
  using Kind = std::remove_const_t<Thing>;
  if constexpr (std::is_same_v<Kind, InstancePlan>) {
    visit(name, thing.publishers, thing.lanes);
  } else if constexpr (std::is_same_v<Kind, TopicPlan>) {
    visit(name, thing.partitions, thing.message_bytes_max, thing.writable, thing.exists);
  } else if constexpr (std::is_same_v<Kind, PublishEvent>) {
    visit(name, thing.at, thing.instance, thing.publisher, thing.topic, thing.key,
          thing.payload_bytes, thing.header_bytes, thing.claimed_for, thing.accepted_for);
  } else if constexpr (std::is_same_v<Kind, Outage>) {
    visit(name, thing.kind, thing.at, thing.lasts, thing.target);
  } else if constexpr (std::is_same_v<Kind, Crash>) {
    visit(name, thing.at, thing.of_relay, thing.target, thing.point, thing.call, thing.calls,
          thing.down_for, thing.lanes, thing.recovery_calls);
  } else {
    visit(name, thing.kind, thing.actor, thing.n);
  }
}

template <class Thing>
void write_all(Writer& writer, const char* name, const std::vector<Thing>& things) {
  for (const Thing& thing : things)
    visit_one(writer, name, thing);
}

template <class Thing>
void read_one(Reader& reader, const char* name, std::vector<Thing>& things) {
  if (reader.name() != name) return;
  visit_one(reader, name, things.emplace_back());
}

bool read_line(const std::string& line, Plan& plan) {
  Reader reader{line};
  if (reader.name() == "only-these-decisions") {
    plan.decisions.emplace();
    return true;
  }
  visit_scalars(reader, plan);
  read_one(reader, "instance", plan.instances);
  read_one(reader, "topic", plan.topics);
  read_one(reader, "publish", plan.publishes);
  read_one(reader, "outage", plan.outages);
  read_one(reader, "crash", plan.crashes);
  if (plan.decisions) read_one(reader, "decision", *plan.decisions);
  return reader.is_good();
}

}  // namespace

void write_plan(std::ostream& out, const Plan& plan) {
  out << first_line << '\n';
  Writer writer{out};
  visit_scalars(writer, plan);
  write_all(writer, "instance", plan.instances);
  write_all(writer, "topic", plan.topics);
  write_all(writer, "publish", plan.publishes);
  write_all(writer, "outage", plan.outages);
  write_all(writer, "crash", plan.crashes);
  if (!plan.decisions) return;
  out << "only-these-decisions\n";
  write_all(writer, "decision", *plan.decisions);
}

std::optional<Plan> read_plan(std::istream& in, std::string& error) {
  std::string line;
  if (!std::getline(in, line) || line != first_line) {
    error = std::string{"does not begin with '"} + first_line + "'";
    return std::nullopt;
  }
  Plan plan;
  for (std::size_t number = 2; std::getline(in, line); ++number) {
    if (line.empty() || line.front() == '#' || read_line(line, plan)) continue;
    error = "line " + std::to_string(number) + ": '" + line + "'";
    return std::nullopt;
  }
  plan.faults.seed = plan.seed;
  if (!plan.instances.empty() && !plan.topics.empty()) return plan;
  error = "has no instance or no topic";
  return std::nullopt;
}

}  // namespace spillway::sim
