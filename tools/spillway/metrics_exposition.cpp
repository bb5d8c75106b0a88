#include "metrics_exposition.hpp"

#include <exception>
#include <utility>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>

#include "metrics_families.hpp"
#include "spillway/error.hpp"

namespace spillway::program {
namespace {

template <class Snapshot>
class Source final : public prometheus::Collectable {
 public:
  explicit Source(std::function<Snapshot()> snapshot) : snapshot_{std::move(snapshot)} {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    return families_of(snapshot_());
  }

 private:
  std::function<Snapshot()> snapshot_;
};

// One thread: a scrape takes a millisecond, and there is one scraper.
std::unique_ptr<prometheus::Exposer> listen(const MetricsOptions& options) {
  const std::string address = options.address + ":" + std::to_string(options.port);
  try {
    return std::make_unique<prometheus::Exposer>(address, 1);
  } catch (const std::exception&) {
    throw StartError{"metrics cannot be served on " + address +
                     ": the port is taken or the address is not this machine's; choose another "
                     "--metrics-port, or leave it out"};
  }
}

}  // namespace

void MetricsOptions::add_to(CLI::App& command) {
  command.add_option("--metrics-port", port, "Serve Prometheus text at /metrics; default: not")
      ->type_name("PORT");
  command.add_option("--metrics-address", address, "Where to listen for that")
      ->type_name("ADDRESS")
      ->capture_default_str();
}

struct MetricsServer::Impl {
  std::shared_ptr<prometheus::Collectable> source;  // first: the listener asks it
  std::unique_ptr<prometheus::Exposer> listener;
};

MetricsServer::MetricsServer(const MetricsOptions& options, std::function<Metrics()> snapshot) {
  if (options.port == 0) return;
  impl_ = std::make_unique<Impl>();
  impl_->source = std::make_shared<Source<Metrics>>(std::move(snapshot));
  impl_->listener = listen(options);
  impl_->listener->RegisterCollectable(impl_->source);
}

MetricsServer::MetricsServer(const MetricsOptions& options, std::function<RelayReport()> snapshot) {
  if (options.port == 0) return;
  impl_ = std::make_unique<Impl>();
  impl_->source = std::make_shared<Source<RelayReport>>(std::move(snapshot));
  impl_->listener = listen(options);
  impl_->listener->RegisterCollectable(impl_->source);
}

MetricsServer::~MetricsServer() = default;

}  // namespace spillway::program
