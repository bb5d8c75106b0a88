#include "perf/common/run_topic.hpp"

#include <atomic>
#include <chrono>
#include <exception>

#include <unistd.h>

#include "perf/common/report_lines.hpp"
#include "tools/spillway/kafka_topics.hpp"

namespace spillway::perf {
namespace {

using namespace std::chrono_literals;

constexpr auto answer_within = 30s;

std::string next_name(const std::string& purpose) {
  static std::atomic<unsigned> made = 0;
  return "perf-" + purpose + "-" + std::to_string(::getpid()) + "-" +
         std::to_string(made.fetch_add(1, std::memory_order_relaxed));
}

}  // namespace

RunTopic::RunTopic(const KafkaConfig& kafka, const std::string& purpose, int partitions)
    : kafka_{kafka}, name_{next_name(purpose)} {
  program::create_topic(kafka_, {.name = name_, .partitions = partitions}, answer_within);
}

RunTopic::~RunTopic() {
  try {
    program::delete_topic(kafka_, name_, answer_within);
  } catch (const std::exception& error) {
    note(error.what());
  }
}

}  // namespace spillway::perf
