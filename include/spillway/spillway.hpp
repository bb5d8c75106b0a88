// include/spillway/spillway.hpp: everything a service or a consumer needs, in one include.

#pragma once

#include "spillway/config.hpp"        // IWYU pragma: export
#include "spillway/dedup_filter.hpp"  // IWYU pragma: export
#include "spillway/envelope.hpp"      // IWYU pragma: export
#include "spillway/error.hpp"         // IWYU pragma: export
#include "spillway/metrics.hpp"       // IWYU pragma: export
#include "spillway/outcome.hpp"       // IWYU pragma: export
#include "spillway/pipeline.hpp"      // IWYU pragma: export
#include "spillway/publisher.hpp"     // IWYU pragma: export
