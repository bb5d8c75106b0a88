// tests/support/on_real_stack.hpp: the fixture of every test that opens a Pipeline on real servers.
//
// A topic, a database with its schema and a journal of the test's own; tagged load; and the audit
// of `spillway verify`, which reads the topic itself. When a test has ended, all servers run,
// however it ended.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "load_generator.hpp"
#include "spillway/spillway.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"
#include "support/kafka_admin.hpp"
#include "support/process.hpp"
#include "support/stack.hpp"
#include "support/temporary_directory.hpp"
#include "verify/findings.hpp"

namespace spillway::test {

/// What the pipelines of a test have logged; printed with the time since the test began.
class LogLines {
 public:
  void add(std::string_view line);
  [[nodiscard]] bool has(std::string_view part) const;

 private:
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  mutable std::mutex mutex_;
  std::string text_;
};

enum class Copies {
  none,
  marked,  ///< Where a cause of copies is a part of the test.
};

class OnRealStack : public ::testing::Test {
 protected:
  static constexpr int partitions = 4;
  static constexpr double usual_rate = 5'000;
  /// For a server to come back, and everything to drain, on a machine that does other things too.
  static constexpr std::chrono::seconds patience{120};

  OnRealStack();
  void TearDown() override;

  [[nodiscard]] const Stack& stack() const noexcept { return stack_; }
  [[nodiscard]] const std::string& topic_name() const noexcept { return topic_name_; }
  /// Two lanes, the servers, a journal that is gone with the test, the log in lines().
  [[nodiscard]] Config config();
  [[nodiscard]] std::string file(const std::string& name) const { return directory_.file(name); }
  [[nodiscard]] const LogLines& lines() const noexcept { return lines_; }
  [[nodiscard]] KafkaAdmin& kafka() noexcept { return kafka_; }

  /// Tagged envelopes at a fixed rate until stop(); counted in accepted_file(), each call of
  /// publish() kept in accept_logs(). Ends before `pipeline`.
  [[nodiscard]] program::LoadGenerator load_on(Pipeline& pipeline, double per_second = usual_rate);
  /// For load_on() and `spillway load`, which go on where the other has ended.
  [[nodiscard]] std::string accepted_file() const { return file("accepted"); }
  [[nodiscard]] std::string accept_logs() const { return file("accept-logs"); }
  [[nodiscard]] std::uint64_t accepted() const;
  [[nodiscard]] std::string run_id() const;
  /// The program with these arguments, on this test's servers.
  [[nodiscard]] std::vector<std::string> spillway(std::vector<std::string> words) const;
  /// `spillway load` for so long ("0": until it is killed), on this test's journal and run.
  [[nodiscard]] std::vector<std::string> spillway_load(const std::string& seconds) const;

  /// Rows in the outbox. Postgres must run.
  [[nodiscard]] std::uint64_t outbox_rows() const;
  [[nodiscard]] std::uint64_t held_rows() const;
  /// Over all streams: the sum of what the relays have passed.
  [[nodiscard]] std::uint64_t relayed_through() const;
  [[nodiscard]] testing::SqlSession sql() const { return database_.session(); }

  /// Every lane is direct, and more than so many envelopes are delivered: an outage may begin.
  [[nodiscard]] static bool gets_direct(const Pipeline& pipeline, std::uint64_t delivered);
  /// The load is over: everything arrives, the outbox drains, every lane is direct.
  [[nodiscard]] bool ends_quiet(const Pipeline& pipeline) const;
  /// What `spillway verify --full` says of the topic and the outbox.
  [[nodiscard]] verify::AuditResult audit() const;
  /// Nothing lost, nothing reordered, no copy without a mark, nothing left in the outbox, no dead
  /// letter.
  void expect_audit_clean(Copies copies = Copies::none);
  /// Of an endless spillway_load(): it goes on, its own relay empties the outbox, and it ends well;
  /// what it spills while it ends is the next relay's. What a process before it died with may be in
  /// Kafka twice, marked.
  void expect_ends_clean(Process& load);
  /// The counters obey their laws, of a quiet pipeline whose own relay has forwarded its rows.
  static void expect_conserved(const Metrics& metrics);
  /// What a fatal producer error may have made; librdkafka 2.0.2 has one now and then when a broker
  /// dies.
  [[nodiscard]] static Copies copies_of(const Metrics& metrics);

 private:
  Stack stack_;
  LogLines lines_;
  testing::TestDatabase database_;
  TemporaryDirectory directory_;
  KafkaAdmin kafka_;
  std::string topic_name_;
  std::uint64_t run_;
  std::vector<std::unique_ptr<program::AcceptFile>> accepted_;
  std::vector<std::unique_ptr<program::AcceptLogs>> accept_logs_;
};

[[nodiscard]] bool all_direct(const Metrics& metrics);
[[nodiscard]] bool any_spilling(const Metrics& metrics);
/// The sum of one counter over all lanes.
[[nodiscard]] std::uint64_t sum(const Metrics& metrics, std::uint64_t LaneMetrics::*counter);

}  // namespace spillway::test
