// tools/spillway/metrics_exposition.hpp: --metrics-port: the counters as Prometheus text.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "spillway/metrics.hpp"
#include "spillway/relay.hpp"

namespace spillway::program {

/// --metrics-port and --metrics-address. Must outlive the parse.
struct MetricsOptions {
  void add_to(CLI::App& command);

  std::uint16_t port = 0;  ///< 0: not served.
  std::string address = "127.0.0.1";
};

/// Serves GET /metrics until its end; every scrape takes a snapshot. End it before what it asks.
class MetricsServer {
 public:
  /// Nothing is served when options.port is 0. @throws StartError when the port cannot be had
  MetricsServer(const MetricsOptions& options, std::function<Metrics()> snapshot);
  MetricsServer(const MetricsOptions& options, std::function<RelayReport()> snapshot);
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  ~MetricsServer();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spillway::program
