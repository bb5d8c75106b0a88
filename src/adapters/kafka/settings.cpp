#include "adapters/kafka/settings.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>

#include "core/nearest.hpp"
#include "core/secrets.hpp"
#include "spillway/error.hpp"

namespace spillway::kafka {
namespace {

struct Tuned {
  const char* name = nullptr;
  const char* value = nullptr;
  bool only_in_some_versions = false;  ///< Skipped where librdkafka does not know it.
};

// Figures: librdkafka 2.0.2 against Kafka 4.3.1 on two cores.
constexpr std::array tuned{
    // A lane hands some 200 records over in that time, which go in one batch. What comes later
    // waits for its answer (topic_queues.hpp), so that batches grow with the load all the same.
    Tuned{"linger.ms", "0.1"},
    Tuned{"batch.num.messages", "10000"},  // over the round trip: a partition's ceiling
    Tuned{"socket.nagle.disable", "true"},
    // The defaults, 60 s and 30 s, keep a vanished host "up" and a hung one "connecting".
    Tuned{"socket.timeout.ms", "2000"},
    Tuned{"socket.connection.setup.timeout.ms", "1000"},  // its minimum
    // Reconnected 19 ms after a cut at p50, 40 ms at most.
    Tuned{"reconnect.backoff.ms", "1"},
    Tuned{"reconnect.backoff.max.ms", "20"},
    Tuned{"retry.backoff.ms", "2"},  // the default, 100 ms, would be most of a recovery
    // How long a leader's move may go unnoticed. While no broker is there, librdkafka spins for the
    // last millisecond before each look (2.0.2): 5 ms cost a fifth of a core.
    Tuned{"topic.metadata.refresh.fast.interval.ms", "20"},
    // How long a topic's new partitions go unused. Each question is one of the five requests that a
    // connection may have in flight, also behind a broker that has just started.
    Tuned{"topic.metadata.refresh.interval.ms", "1000"},
    // Else three times that: an outage of 3 s would end in a wait for the leaders' names.
    Tuned{"metadata.max.age.ms", "900000"},
    Tuned{"topic.metadata.propagation.max.ms", "50"},  // topics are resolved ahead
    Tuned{"broker.address.family", "v4"},              // no attempt at a dead v6 address
    // Since 2.3 retries back off exponentially, by default up to 1 s.
    Tuned{"retry.backoff.max.ms", "20", true},
    // Since 2.5 a client sends its statistics to a cluster that asks for them, and ends 1 s later.
    Tuned{"enable.metrics.push", "false", true},
};

constexpr const char* linger_of_batches = "1";  // 2000 records are handed over in that time

// What a user may write out, but not change.
struct Promise {
  const char* name = nullptr;
  const char* value = nullptr;
  const char* reason = nullptr;
  const char* same_value = "";  ///< Another spelling of it.
  bool is_default = false;      ///< Not set by us: librdkafka warns of whoever mentions it.
};

constexpr std::array promises{
    Promise{"enable.idempotence", "true", "without it retries duplicate and reorder"},
    Promise{"acks", "all", "delivered means that every in-sync replica has it", "-1"},
    Promise{"request.required.acks", "all", "delivered means that every in-sync replica has it",
            "-1"},
    Promise{"message.timeout.ms", "0", "a record that expires would leave a gap"},
    Promise{"delivery.timeout.ms", "0", "a record that expires would leave a gap"},
    Promise{"partitioner", "murmur2_random",
            "a key has to meet the partition that other clients give it"},
    Promise{"sticky.partitioning.linger.ms", "0",
            "a copy of a record without a key has to meet the partition of the first one"},
    Promise{"allow.auto.create.topics", "false",
            "a deleted topic would come back with default settings"},
    Promise{"delivery.report.only.error", "false", "each record needs its report"},
    Promise{"log.queue", "false", "librdkafka's lines go into Spillway's log"},
    Promise{"queue.buffering.max.messages", "0", "lanes.window_records is the bound"},
    Promise{"queuing.strategy", "fifo", "records go out in the order of their numbers", "", true},
    Promise{"enable.gapless.guarantee", "false", "one refused record would end its producer", "",
            true},
};

struct Refused {
  const char* name;
  const char* reason;
};

constexpr std::array refused_by_name{
    Refused{"bootstrap.servers", "it has a key of its own, kafka.bootstrap_servers"},
    Refused{"metadata.broker.list", "it has a key of its own, kafka.bootstrap_servers"},
    Refused{"retries", "a record is retried until Kafka has it"},
    Refused{"message.send.max.retries", "a record is retried until Kafka has it"},
    Refused{"max.in.flight", "the idempotent producer chooses it"},
    Refused{"max.in.flight.requests.per.connection", "the idempotent producer chooses it"},
    Refused{"transactional.id", "a transaction that aborts would take back what was reported"},
    Refused{"message.max.bytes", "it follows from the journal's record_bytes_max"},
    Refused{"batch.size", "it follows from the topics' max.message.bytes"},
    Refused{"queue.buffering.max.kbytes", "it follows from lanes.window_bytes"},
    Refused{"statistics.interval.ms", "Spillway reads the producer's state from the statistics"},
    Refused{"enabled_events", "reports come by callback"},
    Refused{"topic.blacklist", "records of a hidden topic would wait for ever"},
    Refused{"test.mock.num.brokers", "records would go to a cluster that does not exist"},
};

// Known to librdkafka but not among those it lists, because they are unset or second names.
constexpr std::array unlisted_names{"acks",
                                    "linger.ms",
                                    "retries",
                                    "compression.type",
                                    "client.rack",
                                    "security.protocol",  //
                                    "sasl.mechanism",
                                    "sasl.username",
                                    "sasl.password",
                                    "sasl.kerberos.keytab",  //
                                    "sasl.oauthbearer.config",
                                    "ssl.ca.location",
                                    "ssl.ca.pem",
                                    "ssl.certificate.location",  //
                                    "ssl.certificate.pem",
                                    "ssl.key.location",
                                    "ssl.key.pem",
                                    "ssl.key.password",  //
                                    "ssl.keystore.location",
                                    "ssl.keystore.password",
                                    "ssl.cipher.suites",  //
                                    "ssl.curves.list",
                                    "ssl.sigalgs.list",
                                    "ssl.crl.location",
                                    "plugin.library.paths"};

using ErrorText = std::array<char, 512>;

struct SetAnswer {
  rd_kafka_conf_res_t result;
  ErrorText text;
};

SetAnswer set(rd_kafka_conf_t* settings, const char* name, const char* value) {
  SetAnswer answer{};
  answer.result = rd_kafka_conf_set(settings, name, value, answer.text.data(), answer.text.size());
  return answer;
}

std::vector<std::string> names_of(const char** pairs, std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i + 1 < count; i += 2)
    names.emplace_back(std::span{pairs, count}[i]);
  rd_kafka_conf_dump_free(pairs, count);
  return names;
}

std::vector<std::string> known_names() {
  const ClientSettings client{rd_kafka_conf_new()};
  const TopicSettings topic{rd_kafka_topic_conf_new()};
  std::size_t count = 0;
  const char** pairs = rd_kafka_conf_dump(client.get(), &count);
  std::vector<std::string> names = names_of(pairs, count);
  pairs = rd_kafka_topic_conf_dump(topic.get(), &count);
  std::ranges::move(names_of(pairs, count), std::back_inserter(names));
  names.insert(names.end(), unlisted_names.begin(), unlisted_names.end());
  return names;
}

std::string key_of(std::string_view name) {
  return std::string{"kafka.properties."}.append(name);
}

std::string unknown_property(std::string_view name) {
  const std::vector<std::string> names = known_names();
  const std::vector<std::string_view> candidates{names.begin(), names.end()};
  std::string text = key_of(name) + " is not a property of librdkafka " + rd_kafka_version_str();
  if (const auto nearest = core::nearest(name, candidates)) {
    text.append("; did you mean ").append(*nearest).append("?");
  }
  return text;
}

// A broken promise; a value that keeps it may be written out.
std::optional<std::string> broken_promise(const std::string& name, const std::string& value) {
  for (const Promise& promise : promises) {
    if (name != promise.name || value == promise.value || value == promise.same_value) continue;
    return key_of(name) + " is " + value + "; it has to stay " + promise.value + ", since " +
           promise.reason + "; leave it out";
  }
  for (const Refused& refused : refused_by_name) {
    if (name != refused.name) continue;
    return key_of(name) + " cannot be set: " + refused.reason + "; leave it out";
  }
  return std::nullopt;
}

void require(rd_kafka_conf_t* settings, const std::string& name, const std::string& value) {
  const SetAnswer answer = set(settings, name.c_str(), value.c_str());
  if (answer.result == RD_KAFKA_CONF_OK) return;
  throw StartError{"librdkafka does not take " + name + ": " + answer.text.data()};
}

void set_tuned(rd_kafka_conf_t* settings) {
  for (const Tuned& property : tuned) {
    const SetAnswer answer = set(settings, property.name, property.value);
    if (answer.result == RD_KAFKA_CONF_UNKNOWN && property.only_in_some_versions) continue;
    if (answer.result == RD_KAFKA_CONF_OK) continue;
    throw StartError{std::string{"librdkafka does not take "} + property.name + ": " +
                     answer.text.data()};
  }
}

}  // namespace

std::vector<std::string> check_properties(const Properties& properties) {
  std::vector<std::string> violations;
  const ClientSettings scratch{rd_kafka_conf_new()};
  for (const auto& [name, value] : properties) {
    if (auto broken = broken_promise(name, value)) {
      violations.push_back(*std::move(broken));
      continue;
    }
    const SetAnswer answer = set(scratch.get(), name.c_str(), value.c_str());
    switch (answer.result) {
      case RD_KAFKA_CONF_OK:
        break;
      case RD_KAFKA_CONF_UNKNOWN:
        violations.push_back(unknown_property(name));
        break;
      case RD_KAFKA_CONF_INVALID:
        violations.push_back(core::is_secret_property(name)
                                 ? key_of(name) + " cannot be used: its value is not valid"
                                 : key_of(name) + " is " + value +
                                       "; librdkafka says: " + answer.text.data());
        break;
    }
  }
  return violations;
}

ClientSettings make_client_settings(const BrokerSettings& settings) {
  ClientSettings made{rd_kafka_conf_new()};
  rd_kafka_conf_t* const raw = made.get();
  set_tuned(raw);
  if (settings.in_batches) require(raw, "linger.ms", linger_of_batches);
  require(raw, "client.id", settings.client_id);
  for (const auto& [name, value] : settings.properties) {
    require(raw, name, value);
  }

  for (const Promise& promise : promises) {
    if (!promise.is_default) require(raw, promise.name, promise.value);
  }
  require(raw, "bootstrap.servers", settings.bootstrap_servers);
  // Two records or more never exceed batch.size; one alone may, up to message.max.bytes
  // (librdkafka 2.0.2, rd_kafka_msgset_writer_write_msgq).
  require(raw, "batch.size", std::to_string(settings.batch_bytes_max));
  require(raw, "message.max.bytes",
          std::to_string(std::max(settings.batch_bytes_max, settings.record_bytes_max)));
  require(raw, "queue.buffering.max.kbytes",
          std::to_string(std::max<std::size_t>(1, settings.queue_bytes_max / 1024)));
  // The documented granularity of 1000 ms is not enforced (librdkafka 2.0.2).
  require(raw, "statistics.interval.ms", "200");
  return made;
}

}  // namespace spillway::kafka
