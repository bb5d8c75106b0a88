// tests/crash/ledger_broker.hpp: a Kafka that outlives the service: what it is given, the ledger
// has.
//
// Always up. It reports late and in batches, so that a kill finds records sent and not reported.

#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "core/limits.hpp"
#include "crash/content.hpp"
#include "crash/dice.hpp"
#include "crash/ledger.hpp"
#include "ports/broker_supply.hpp"

namespace spillway::crash {

/// Told when the service passes one.
using Passing = std::function<void(Point)>;

class LedgerBroker final : public ports::Broker {
 public:
  LedgerBroker(Ledger& ledger, std::size_t payload_bytes_max, std::uint64_t seed, Passing passing)
      : ledger_{ledger},
        payload_bytes_max_{payload_bytes_max},
        dice_{seed},
        passing_{std::move(passing)} {}

  [[nodiscard]] ports::TopicHandle open_topic(std::string_view /*name*/) override { return {}; }

  [[nodiscard]] ports::SubmitResult submit(const ports::Submission& record) noexcept override {
    const std::uint64_t count = ledger_.sent_count.load(std::memory_order_relaxed);
    if (count == sent_max || dice_.one_in(64)) return ports::SubmitResult::busy;
    ledger_.sent[count] = read_back(record, payload_bytes_max_);
    ledger_.sent_count.store(count + 1, std::memory_order_release);
    owed_.push_back(record.tag);
    passing_(Point::submit);
    return ports::SubmitResult::accepted;
  }

  [[nodiscard]] const char* refusal() const noexcept override { return ""; }

  [[nodiscard]] std::size_t poll(std::span<ports::Report> reports) noexcept override {
    const std::size_t count = std::min(reports.size(), dice_.below(owed_.size() + 1));
    for (ports::Report& report : reports.first(count)) {
      report = {.tag = owed_.front()};
      owed_.pop_front();
    }
    if (count != 0) passing_(Point::report);
    return count;
  }

  [[nodiscard]] std::vector<std::uint64_t> take_back() override { return {}; }
  void recall() noexcept override {}
  [[nodiscard]] ports::BrokerHealth health() const noexcept override {
    return {.up = true, .warm = true};
  }
  [[nodiscard]] std::size_t batch_bytes_max() const noexcept override {
    return core::batch_bytes_default;
  }

 private:
  Ledger& ledger_;
  std::size_t payload_bytes_max_;
  Dice dice_;
  Passing passing_;
  std::deque<std::uint64_t> owed_;  // tags
};

/// Has its producer ready at once.
class LedgerBrokerSupply final : public ports::BrokerSupply {
 public:
  explicit LedgerBrokerSupply(std::unique_ptr<LedgerBroker> broker) : broker_{std::move(broker)} {}

  void order(std::size_t /*batch_bytes_max*/) override {}
  [[nodiscard]] std::unique_ptr<ports::Broker> take() noexcept override {
    return std::move(broker_);
  }
  void retire(std::unique_ptr<ports::Broker> /*broker*/) noexcept override {}

 private:
  std::unique_ptr<LedgerBroker> broker_;
};

}  // namespace spillway::crash
