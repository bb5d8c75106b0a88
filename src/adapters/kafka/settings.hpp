// src/adapters/kafka/settings.hpp: what librdkafka is told, and which of it a user may change.
//
// Three kinds of properties: tuned ones, which a user may set otherwise; promises, which he may
// not, since order, durability or the meaning of a report hangs on them; and everything else of
// librdkafka's.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "adapters/kafka/handles.hpp"

namespace spillway::kafka {

using Properties = std::map<std::string, std::string>;

struct BrokerSettings {
  std::string bootstrap_servers;       ///< "host:port,host:port"
  Properties properties;               ///< The user's, as check_properties() passed them.
  std::string client_id = "spillway";  ///< A user's `client.id` goes before it.
  /// Of one batch of two records or more: every topic used must take messages of that size. 1 KiB
  /// to 1 GB.
  std::size_t batch_bytes_max = 1'000'000;
  /// Of one record with its framing and headers; a larger one is refused by submit(). Kafka's
  /// default.
  std::size_t record_bytes_max = 1'048'588;
  /// The caller has his records in batches of some hundreds: they linger for as long as it takes to
  /// hand one over, and nothing is left behind in librdkafka. A few go at once.
  bool in_batches = false;
  /// Payloads with librdkafka; the caller's window is meant to be the bound.
  std::size_t queue_bytes_max = std::size_t{256} << 20;
};

/// Why a user's properties cannot be used: one text each, for all of them at once. Asks no server.
[[nodiscard]] std::vector<std::string> check_properties(const Properties& properties);

/// Tuned values, the user's above them, the promises above all.
/// @throws StartError when librdkafka does not take one of them
[[nodiscard]] ClientSettings make_client_settings(const BrokerSettings& settings);

}  // namespace spillway::kafka
