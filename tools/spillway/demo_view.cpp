#include "demo_view.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <utility>

#include <unistd.h>

#include "terminal.hpp"
#include "text.hpp"

namespace spillway::program {
namespace {

using namespace std::chrono_literals;

std::string seconds_text(std::chrono::nanoseconds at) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%6.2f s", std::chrono::duration<double>(at).count());
  return text.data();
}

std::string per_second(double rate) {
  return grouped(static_cast<std::uint64_t>(std::max(0.0, rate))) + "/s";
}

unsigned percent_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<unsigned>(part * 100 / whole);
}

std::string bar(unsigned percent) {
  constexpr unsigned cells = 20;
  std::string text(cells, '.');
  std::fill_n(text.begin(), std::min(cells, (percent * cells + 99) / 100), '#');
  return "[" + text + "] " + std::to_string(percent) + " %";
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}

}  // namespace

DemoView::DemoView(bool json)
    : out_{json ? std::cerr : std::cout},
      descriptor_{json ? STDERR_FILENO : STDOUT_FILENO},
      on_terminal_{is_terminal(descriptor_)} {}

std::chrono::milliseconds DemoView::interval() const noexcept {
  return on_terminal_ ? 200ms : 1s;
}

void DemoView::begin(const std::string& title) {
  last_at_.reset();
  accepted_ = delivered_ = spilled_ = relayed_ = 0;
  calls_ = Histogram{};
  out_ << coloured(descriptor_, Colour::bold, title) << '\n' << std::flush;
}

void DemoView::tell(std::chrono::nanoseconds at, const std::string& event) {
  end();
  out_ << seconds_text(at) << "  " << coloured(descriptor_, Colour::yellow, event) << '\n'
       << std::flush;
}

void DemoView::log(std::string_view line) {
  const std::scoped_lock lock{logged_mutex_};
  logged_.emplace_back(line);
}

void DemoView::print_logged() {
  const std::scoped_lock lock{logged_mutex_};
  if (logged_.empty()) return;
  end();
  for (const std::string& line : logged_) {
    out_ << "          " << coloured(descriptor_, Colour::dim, line) << '\n';
  }
  out_ << std::flush;
  logged_.clear();
}

void DemoView::end() {
  if (drawn_lines_ == 0) return;
  out_ << "\x1b[" << drawn_lines_ << "F\x1b[J" << std::flush;
  drawn_lines_ = 0;
}

void DemoView::show(std::chrono::nanoseconds at, const Metrics& metrics,
                    const LoadGenerator& load) {
  print_logged();
  if (last_at_ && at - *last_at_ < interval()) return;
  const Rates rates = rates_since_last(at, metrics, load);
  if (on_terminal_) {
    redraw(at, metrics, rates);
  } else {
    print_line(at, metrics, rates);
  }
}

DemoView::Rates DemoView::rates_since_last(std::chrono::nanoseconds at, const Metrics& metrics,
                                           const LoadGenerator& load) {
  const double seconds = std::chrono::duration<double>(last_at_ ? at - *last_at_ : at).count();
  const auto rate = [seconds](std::uint64_t now, std::uint64_t& before) {
    const double passed = static_cast<double>(now - std::exchange(before, now));
    return seconds > 0 ? passed / seconds : 0;
  };
  PublishLatency latency;
  for (std::size_t phase = 0; phase < LoadGenerator::phases_max; ++phase) {
    load.add_latency(phase, latency);
  }
  Histogram passed = latency.call;
  passed.subtract(calls_);
  calls_ = std::move(latency.call);
  last_at_ = at;
  return {.accepted = rate(load.accepted(), accepted_),
          .delivered = rate(metrics.delivered, delivered_),
          .spilled = rate(metrics.spilled, spilled_),
          .relayed = rate(metrics.relay.relayed, relayed_),
          .publish_p99 = passed.quantile(0.99)};
}

std::string DemoView::coloured_state(LaneState state) const {
  const Colour colour = state == LaneState::direct ? Colour::green : Colour::yellow;
  return coloured(descriptor_, colour, name_of(state));
}

std::string DemoView::coloured_server(bool is_up, const std::string& name) const {
  return name + " " +
         coloured(descriptor_, is_up ? Colour::green : Colour::red, is_up ? "up" : "away");
}

void DemoView::redraw(std::chrono::nanoseconds at, const Metrics& metrics, const Rates& rates) {
  std::ostringstream text;
  text << seconds_text(at) << "  " << coloured_server(metrics.servers.kafka_up, "kafka") << "  "
       << coloured_server(metrics.servers.postgres_up, "postgres") << "  "
       << coloured_server(metrics.servers.redis_up, "redis") << '\n';
  for (std::size_t lane = 0; lane < metrics.lanes.size(); ++lane) {
    text << "  lane " << lane << "     " << coloured_state(metrics.lanes[lane].state) << ", held "
         << grouped(metrics.lanes[lane].held) << '\n';
  }
  text << "  accepted   " << padded(per_second(rates.accepted), 10) << "   to Kafka "
       << per_second(rates.delivered) << ", to the outbox " << per_second(rates.spilled)
       << ", relayed " << per_second(rates.relayed) << '\n'
       << "  publish p99"
       << padded(short_time(static_cast<std::uint64_t>(rates.publish_p99.count())), 10) << '\n'
       << "  journal    " << bar(percent_of(metrics.journal_used_bytes, metrics.journal_bytes))
       << ", " << grouped(metrics.in_flight) << " in flight\n"
       << "  outbox     " << grouped(metrics.outbox_queue_depth) << " rows\n";
  end();
  const std::string drawn = text.str();
  out_ << drawn << std::flush;
  drawn_lines_ = static_cast<std::size_t>(std::ranges::count(drawn, '\n'));
}

void DemoView::print_line(std::chrono::nanoseconds at, const Metrics& metrics, const Rates& rates) {
  out_ << seconds_text(at) << "  kafka " << (metrics.servers.kafka_up ? "up  " : "away")
       << "  lanes";
  for (const LaneMetrics& lane : metrics.lanes)
    out_ << ' ' << name_of(lane.state);
  out_ << "  accepted " << per_second(rates.accepted) << "  to Kafka "
       << per_second(rates.delivered) << "  spilled " << per_second(rates.spilled) << "  relayed "
       << per_second(rates.relayed) << "  journal "
       << percent_of(metrics.journal_used_bytes, metrics.journal_bytes) << " %  outbox "
       << grouped(metrics.outbox_queue_depth) << "  publish p99 "
       << short_time(static_cast<std::uint64_t>(rates.publish_p99.count())) << '\n'
       << std::flush;
}

}  // namespace spillway::program
