// tools/spillway/metrics_families.hpp: a snapshot as Prometheus families. Names and meanings are in
// the README's table; the four without a prefix are the project's agreed names.

#pragma once

#include <vector>

#include <prometheus/metric_family.h>

#include "spillway/metrics.hpp"
#include "spillway/relay.hpp"

namespace spillway::program {

[[nodiscard]] std::vector<prometheus::MetricFamily> families_of(const Metrics& metrics);
[[nodiscard]] std::vector<prometheus::MetricFamily> families_of(const RelayReport& report);

}  // namespace spillway::program
