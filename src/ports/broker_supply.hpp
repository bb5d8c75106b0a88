// src/ports/broker_supply.hpp: where a lane's or a relay's next producer comes from, and its old
// one goes.
//
// Making and ending a producer takes up to 100 ms and starts threads, so it happens elsewhere.

#pragma once

#include <cstddef>
#include <memory>

#include "ports/broker.hpp"

namespace spillway::ports {

class BrokerSupply {
 public:
  BrokerSupply() = default;
  BrokerSupply(const BrokerSupply&) = delete;
  BrokerSupply& operator=(const BrokerSupply&) = delete;
  virtual ~BrokerSupply() = default;

  /// Asks for one new producer.
  virtual void order(std::size_t batch_bytes_max) = 0;
  /// The producer that was ordered; null while it is not ready. Never blocks.
  [[nodiscard]] virtual std::unique_ptr<Broker> take() noexcept = 0;
  /// Ends a producer that owes no report. Never blocks.
  virtual void retire(std::unique_ptr<Broker> broker) noexcept = 0;
};

}  // namespace spillway::ports
