#include "demo_drill.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include <unistd.h>

#include "accept_file.hpp"
#include "all_direct.hpp"
#include "demo_watch.hpp"
#include "kafka_topics.hpp"
#include "raw_client.hpp"
#include "spillway/pipeline.hpp"
#include "text.hpp"
#include "verify_request.hpp"

namespace spillway::program {
namespace {

using namespace std::chrono_literals;

constexpr auto warm_up = 1s;
constexpr auto tick = 20ms;
constexpr auto topic_within = 30s;
constexpr auto settled_within = 10s;
constexpr auto steady_before = 1s;  // all lanes direct, before the broker is killed

// A broker that this run has killed is started again, however the run ends.
class Outage {
 public:
  explicit Outage(const StackControl& stack) : stack_{stack} {}
  Outage(const Outage&) = delete;
  Outage& operator=(const Outage&) = delete;
  ~Outage() {
    try {
      end();
    } catch (const CommandError&) {
      // Nobody is left to be told; `tools/stack status` says it.
      return;
    }
  }
  void begin() {
    killed_ = true;
    stack_.run({"kill", "kafka"});
  }
  void end() {
    if (std::exchange(killed_, false)) stack_.run({"start", "kafka", "--no-wait"});
  }

 private:
  const StackControl& stack_;
  bool killed_ = false;
};

// Files of one run, in memory, gone with it unless something has to be looked into.
class Scratch {
 public:
  explicit Scratch(std::uint64_t run) : stem_{"/dev/shm/spillway-demo-" + hex16(run)} {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    if (kept_) return;
    std::error_code ignored;  // A file that was never made is as good as removed.
    std::filesystem::remove(journal(), ignored);
    std::filesystem::remove(accepted(), ignored);
  }
  [[nodiscard]] std::string journal() const { return stem_ + ".journal"; }
  [[nodiscard]] std::string accepted() const { return stem_ + ".accepted"; }
  void keep() noexcept { kept_ = true; }

 private:
  std::string stem_;
  bool kept_ = false;
};

// What one run has going, and the play itself.
class Drill {
 public:
  Drill(const DemoPlan& plan, const Config& config, const StackControl& stack, StopSignal& stop,
        DemoView& view)
      : plan_{plan},
        config_{config},
        stop_{stop},
        view_{view},
        scratch_{plan.load.run},
        outage_{stack} {
    result_.run = plan.load.run;
    result_.topic = "spillway-demo-" + hex16(plan.load.run);
    config_.journal.path = scratch_.journal();
    config_.on_log = [&shown = view](LogLevel, std::string_view line) { shown.log(line); };
  }

  DemoResult run(const OfferMetrics& offer);

 private:
  void play(Pipeline& pipeline, LoadGenerator& load, RawClient& raw);
  void await(const Pipeline& pipeline, const LoadGenerator& load, DemoClock::time_point until);
  [[nodiscard]] bool await_direct(const Pipeline& pipeline, const LoadGenerator& load,
                                  std::chrono::milliseconds for_so_long);
  void enter(LoadGenerator& load, DemoAct act) noexcept {
    load.enter_phase(static_cast<std::size_t>(act));
  }
  void tick_once(const Pipeline& pipeline, const LoadGenerator& load);
  [[nodiscard]] std::chrono::nanoseconds now() const { return DemoClock::now() - began_; }
  void take_recovery(const RawClient& raw, const RecoveryWatch& watch,
                     DemoClock::time_point started);
  void audit();

  const DemoPlan& plan_;
  Config config_;
  StopSignal& stop_;
  DemoView& view_;
  Scratch scratch_;
  Outage outage_;
  DemoClock::time_point began_ = DemoClock::now();
  DemoResult result_;
};

void Drill::tick_once(const Pipeline& pipeline, const LoadGenerator& load) {
  if (stop_.wait_for(tick)) throw CommandError{ExitCode::inconclusive, "ended by a signal"};
  view_.show(now(), pipeline.counters(), load);
}

void Drill::await(const Pipeline& pipeline, const LoadGenerator& load,
                  DemoClock::time_point until) {
  while (DemoClock::now() < until)
    tick_once(pipeline, load);
}

// Until every lane has been direct for so long; false: the run has taken too long.
bool Drill::await_direct(const Pipeline& pipeline, const LoadGenerator& load,
                         std::chrono::milliseconds for_so_long) {
  std::optional<DemoClock::time_point> direct_since;
  while (now() < plan_.at_most) {
    tick_once(pipeline, load);
    const Metrics metrics = pipeline.counters();
    if (!all_direct(metrics) || !metrics.servers.kafka_up) {
      direct_since.reset();
    } else if (!direct_since) {
      direct_since = DemoClock::now();
    } else if (DemoClock::now() - *direct_since >= for_so_long) {
      return true;
    }
  }
  return false;
}

void Drill::play(Pipeline& pipeline, LoadGenerator& load, RawClient& raw) {
  await(pipeline, load, began_ + warm_up);
  enter(load, DemoAct::healthy);
  await(pipeline, load, began_ + plan_.kill_after - steady_before);
  // On a busy machine a lane may have tripped by itself; the broker dies when all is well.
  result_.was_healthy = await_direct(pipeline, load, steady_before);
  if (!result_.was_healthy) return;

  outage_.begin();
  FailoverWatch failover{pipeline, settled_within};
  enter(load, DemoAct::away);
  const auto start_at = DemoClock::now() + plan_.away_for;
  view_.tell(now(), "the broker is killed (SIGKILL)");
  await(pipeline, load, start_at);
  result_.failover = failover.result();

  enter(load, DemoAct::back);
  raw.forget_acks();
  const auto started = DemoClock::now();
  const RecoveryWatch recovery{pipeline, raw};
  outage_.end();
  view_.tell(now(), "the broker is started again");
  result_.returned = await_direct(pipeline, load, plan_.direct_for);
  take_recovery(raw, recovery, started);
}

void Drill::take_recovery(const RawClient& raw, const RecoveryWatch& watch,
                          DemoClock::time_point started) {
  const auto back = raw.first_ack();
  if (!back) return;
  const auto since_back = [&](const std::optional<DemoClock::time_point>& moment) {
    return moment ? std::optional{*moment - *back} : std::nullopt;
  };
  result_.broker_start = *back - started;
  result_.first_row = since_back(watch.first_row());
  result_.released = since_back(watch.released());
  result_.outbox_empty = since_back(watch.outbox_empty());
  result_.all_direct = since_back(watch.all_direct());
}

void Drill::audit() {
  verify::AuditRequest request = verify_request(config_, result_.topic);
  request.scope.run = plan_.load.run;
  request.accepted_file = scratch_.accepted();
  result_.audit = verify_with_progress(request);
}

DemoResult Drill::run(const OfferMetrics& offer) {
  const std::string raw_topic = result_.topic + "-raw";
  create_topic(config_.kafka, {.name = result_.topic, .partitions = plan_.partitions},
               topic_within);
  create_topic(config_.kafka, {.name = raw_topic, .partitions = 1}, topic_within);
  AcceptFile accepted{scratch_.accepted(), plan_.load.publishers, false};
  Pipeline pipeline = Pipeline::open(config_);
  const Topic topic = pipeline.topic(result_.topic);
  offer([&pipeline] { return pipeline.metrics(); });
  {
    RawClient raw{config_.kafka, raw_topic};
    began_ = DemoClock::now();
    LoadGenerator load{pipeline, topic, plan_.load, &accepted};
    play(pipeline, load, raw);
    load.stop();
    result_.seconds = std::chrono::duration<double>(now()).count();
    result_.accepted = load.accepted();
    result_.refused = load.refused();
    for (std::size_t act = 0; act < demo_acts; ++act)
      load.add_latency(act, result_.publish[act]);
  }
  result_.settled = pipeline.flush(DemoClock::now() + settled_within);
  while (result_.settled && pipeline.counters().outbox_queue_depth != 0 && now() < plan_.at_most) {
    if (stop_.wait_for(tick)) break;
  }
  result_.metrics = pipeline.metrics();
  offer({});
  const bool empty = pipeline.close(DemoClock::now() + settled_within);
  if (!empty) scratch_.keep();
  view_.end();
  audit();
  if (!plan_.keep_topic && result_.failures(false).empty()) {
    delete_topic(config_.kafka, result_.topic, topic_within);
  }
  delete_topic(config_.kafka, raw_topic, topic_within);
  return std::move(result_);
}

}  // namespace

DemoResult run_drill(const DemoPlan& plan, const Config& config, const StackControl& stack,
                     StopSignal& stop, DemoView& view, const OfferMetrics& offer) {
  return Drill{plan, config, stack, stop, view}.run(offer);
}

}  // namespace spillway::program
