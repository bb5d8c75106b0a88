// include/spillway/config.hpp: every setting: its unit, its default and the reason, its bounds.
//
// Three presets differ where development, staging and production do; a TOML file and SPILLWAY_*
// variables override them, in that order (load_config). In code, start from preset() or from a
// literal:
//
//   const spillway::Config config{.kafka = {.bootstrap_servers = "kafka-1:9092"}};
//
// A setting's key in TOML is its path here (`lanes.failover_after`); its variable is that in
// capitals (SPILLWAY_LANES_FAILOVER_AFTER), and SPILLWAY_KAFKA, SPILLWAY_POSTGRES and
// SPILLWAY_REDIS are short for the three addresses. Durations are texts with a unit (us, ms, s, m,
// h) or whole milliseconds; sizes are texts ("64MiB") or whole bytes.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spillway/envelope.hpp"
#include "spillway/export.hpp"

namespace spillway {

using namespace std::chrono_literals;  // NOLINT(google-global-names-in-headers): defaults read as
                                       // `75ms`

enum class Environment : std::uint8_t { development, staging, production };

enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// An envelope that can never be delivered. Its views end with the callback.
struct DeadLetter {
  std::string_view topic;
  std::optional<Bytes> key;
  std::optional<Bytes> payload;
  std::string_view position;  ///< "<instance>-<lane>-<seq>", as in the header
  std::string_view error;     ///< The broker's error, by name and text.
};

struct KafkaConfig {
  /// "host:port,host:port". Required.
  std::string bootstrap_servers;
  /// Passed to librdkafka as they are. In TOML: what is under `kafka` and none of the others here
  /// (`kafka.linger.ms`), or under `kafka.properties`. Those that would break a promise, acks or
  /// enable.idempotence for example, are refused by name.
  std::map<std::string, std::string> properties;
  /// How long open() waits for the producers; a cold one needs 0.6 s after a broker's start.
  /// 0 to 60 s.
  std::chrono::milliseconds ready_within = 2s;
  /// How long Pipeline::topic() waits for an answer. 100 ms to 60 s.
  std::chrono::milliseconds topic_within = 5s;
};

struct PostgresConfig {
  /// libpq's connection string or URI. Required.
  std::string conninfo;
  /// A file that holds the password; preferred to one in `conninfo`.
  std::string password_file;
  /// Rows in one COPY: 256 saturate a quick disk; a slow COMMIT needs more. 1 to 10 000.
  std::size_t batch_rows_max = 512;
  /// Bytes in one COPY. 4 KiB to 64 MiB.
  std::size_t batch_bytes_max = std::size_t{512} << 10;
  /// A connection attempt is given up after this. 100 ms to 60 s.
  std::chrono::milliseconds connect_within = 2s;
};

struct RedisConfig {
  /// redis://[user:password@]host:port[/db] or unix:///path. Empty: no wakeups, the interval alone.
  std::string url;
  /// A file that holds the password.
  std::string password_file;
  /// The list that carries the tokens.
  std::string list = "outbox:wakeup";
  /// Tokens kept; more say nothing new. 1 to 100 000.
  std::size_t list_max = 64;
};

struct JournalConfig {
  /// Empty: /dev/shm/spillway-<user id>.journal. A service with several pipelines names each one's.
  std::string path;
  /// The memory bound of the whole pipeline, fixed at start. 4 MiB to 64 GiB, whole MiB.
  std::size_t size_bytes = std::size_t{64} << 20;
  /// Above it publish() answers `too_large`: key, payload and headers with 4 bytes for each length.
  /// 1 KiB to 1 000 000: a record lies in one segment of 1 MiB.
  std::size_t record_bytes_max = 1'000'000;
  /// At this fill a lane gives up waiting to return, and spills half as fast as the relay forwards
  /// until it can. 10 to 95.
  unsigned high_water_percent = 50;
};

struct LanesConfig {
  /// 0: one for each two CPUs this process may use, at least 1, at most 4. Up to 64.
  unsigned count = 0;
  /// Oldest record without a report → spill. A needless trip costs some rows, so it can be tight. 5
  /// ms to 60 s.
  std::chrono::milliseconds failover_after = 75ms;
  /// CPUs to pin lanes to, one each, round robin. Empty: not pinned.
  std::vector<unsigned> cpus;
  /// Records with librdkafka at most, and so what a process's death can make into copies. 100 to 1
  /// 000 000.
  std::size_t window_records = 20'000;
  /// Their bytes. 64 KiB to 1 GiB; at most half the journal.
  std::size_t window_bytes = std::size_t{16} << 20;
  /// An idle lane sleeps at most this long: the latency it adds, against its CPU. 10 us to 10 ms.
  std::chrono::microseconds park_max = 1000us;
  /// Outbox rows at or below which a lane stops spilling and waits for the relay instead; half of
  /// it after each time that it waited in vain. 1 to 1 000 000.
  std::size_t backlog_rows_max = 100'000;
  /// A lane that waits longer than this to become direct spills again: what waits is not settled.
  /// 50 ms to 60 s.
  std::chrono::milliseconds return_within = 3s;
  /// For drills and tests: these lanes use the outbox whatever Kafka does.
  std::vector<unsigned> force_spill;
};

struct RelayConfig {
  /// False: this pipeline's rows wait for another process's relay (`spillway relay`).
  bool enabled = true;
  /// The first rung of the interval ladder (0.1 s, 1 s, 5 s), taken while the outbox is empty and
  /// no token comes. 100 ms, 1 s or 5 s.
  std::chrono::milliseconds poll_start = 100ms;
  /// An owner whose lock has been free this long is dead; its held rows are sent too, marked. 1 s
  /// to 1 h.
  std::chrono::milliseconds owner_grace = 10s;
  /// A relay that is stopped loses its leases after this. Above 5 s, the longest rung; to 1 h.
  std::chrono::milliseconds lease_timeout = 8s;
  std::size_t batch_rows_max = 1'000;  ///< Rows in one read. 1 to 10 000.
  /// Bytes in one read, at most one row more. 4 KiB to 64 MiB.
  std::size_t batch_bytes_max = std::size_t{8} << 20;
  /// Rows with librdkafka, and so what a relay's death can make into copies. 1 to 1 000 000.
  std::size_t window_rows = 20'000;
};

struct Config {
  Environment environment = Environment::development;
  KafkaConfig kafka;
  PostgresConfig postgres;
  RedisConfig redis;
  JournalConfig journal;
  LanesConfig lanes;
  RelayConfig relay;
  /// What ~Pipeline() grants the drain. 0 to 10 min.
  std::chrono::milliseconds close_within = 5s;
  /// Below it nothing is logged.
  LogLevel log_level = LogLevel::info;

  /// Told of each dead letter, after it is stored.
  /// @thread writer or relay; spilling waits for it. May not call into the Pipeline.
  std::function<void(const DeadLetter&)> on_dead_letter;
  /// Takes every log line; empty: standard error, through spdlog. Must not throw.
  /// @thread any of the Pipeline's; may not call into the Pipeline
  std::function<void(LogLevel, std::string_view)> on_log;
};

/// The values of one environment, without the servers' addresses.
[[nodiscard]] SPILLWAY_EXPORT Config preset(Environment environment);

/// Where an effective value came from: "preset", "FILE:LINE", the variable's name, or "flag".
struct SettingOrigin {
  std::string key;
  std::string value;  ///< Secrets read "(hidden)".
  std::string origin;
};

struct LoadedConfig {
  Config config;
  std::vector<SettingOrigin> settings;  ///< Every setting, in the order of this file.
};

/// A preset, overridden by the TOML file at `path` when not empty, then by SPILLWAY_* variables of
/// this process, then by `overrides` (key → text; a command line's flags). The preset is that of
/// `environment`; else the override `environment`, the variables SPILLWAY_ENVIRONMENT and
/// ENVIRONMENT, and `environment` in the file, in that order; else development. Whether what a
/// pipeline needs is there, its servers' addresses, Pipeline::open() asks.
/// @throws ConfigError with every violation: unknown keys with the nearest known one, ill-typed
///         values, bounds, each with its origin; StartError when the file cannot be read
[[nodiscard]] SPILLWAY_EXPORT LoadedConfig
load_config(const std::string& path, const std::map<std::string, std::string>& overrides = {},
            std::optional<Environment> environment = std::nullopt);

}  // namespace spillway
