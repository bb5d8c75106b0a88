// tests/unit/adapters/kafka_error_kinds_test.cpp: what an error says of a record: dead letter,
// retry, or nothing (P8, P11, P16).

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "adapters/kafka/error_kinds.hpp"

namespace spillway::kafka {
namespace {

using enum ports::DeliveryOutcome;

struct Row {
  const char* name;
  rd_kafka_resp_err_t error;
  rd_kafka_msg_status_t status;
  ports::DeliveryOutcome outcome;
};

constexpr auto lost = RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
constexpr auto maybe = RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED;
constexpr auto kept = RD_KAFKA_MSG_STATUS_PERSISTED;

const std::array rows{
    Row{"Delivered", RD_KAFKA_RESP_ERR_NO_ERROR, kept, delivered},
    // A duplicate that the broker recognised is in the log.
    Row{"DeliveredWhateverTheCode", RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER, kept, delivered},
    Row{"PurgedBeforeItWasSent", RD_KAFKA_RESP_ERR__PURGE_QUEUE, lost, not_persisted},
    // After a lost connection what was in flight comes back as if it had only been queued.
    Row{"PurgedAfterItWasSent", RD_KAFKA_RESP_ERR__PURGE_QUEUE, maybe, possibly_persisted},
    Row{"PurgedInFlight", RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, maybe, possibly_persisted},
    Row{"AnswerLost", RD_KAFKA_RESP_ERR__TRANSPORT, maybe, possibly_persisted},
    Row{"SequenceLost", RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, maybe, possibly_persisted},
    Row{"Fatal", RD_KAFKA_RESP_ERR__FATAL, lost, not_persisted},
    Row{"LeaderMoved", RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, lost, not_persisted},
    Row{"ReplicasAway", RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, lost, not_persisted},
    Row{"UnknownTopic", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, lost, refused},
    Row{"DeletedTopic", RD_KAFKA_RESP_ERR__DESTROY, lost, refused},
    Row{"DeletedTopicWhileInFlight", RD_KAFKA_RESP_ERR__DESTROY, maybe, possibly_persisted},
    Row{"NoRightToWrite", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, lost, refused},
    Row{"TooLargeAsABatch", RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, lost, batch_refused},
    Row{"OneOfTheBatchIsInvalid", RD_KAFKA_RESP_ERR_INVALID_RECORD, lost, batch_refused},
    Row{"AnotherOneOfTheBatchIsInvalid", static_cast<rd_kafka_resp_err_t>(-138), lost,
        batch_refused},
    Row{"Unlisted", RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, lost, refused},
};
class KafkaReport : public testing::TestWithParam<Row> {};

TEST_P(KafkaReport, MeansItsOutcome) {
  EXPECT_EQ(outcome_of(GetParam().error, GetParam().status), GetParam().outcome);
}
INSTANTIATE_TEST_SUITE_P(KafkaErrorKinds, KafkaReport, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(KafkaErrorKinds, OnlyTheStatusPutsARecordIntoTheLog) {
  const rd_kafka_err_desc* first = nullptr;
  std::size_t count = 0;
  rd_kafka_get_err_descs(&first, &count);

  for (const rd_kafka_err_desc& error : std::span{first, count}) {
    EXPECT_EQ(outcome_of(error.code, kept), delivered) << error.code;
    EXPECT_EQ(outcome_of(error.code, maybe), possibly_persisted) << error.code;
    EXPECT_NE(outcome_of(error.code, lost), delivered) << error.code;
    EXPECT_NE(outcome_of(error.code, lost), possibly_persisted) << error.code;
  }
}

TEST(KafkaErrorKinds, ProduceRefusesARecordOrAsksToWait) {
  using enum ports::SubmitResult;

  EXPECT_EQ(submit_result_of(RD_KAFKA_RESP_ERR_NO_ERROR), accepted);
  EXPECT_EQ(submit_result_of(RD_KAFKA_RESP_ERR__QUEUE_FULL), busy);
  EXPECT_EQ(submit_result_of(RD_KAFKA_RESP_ERR__FATAL), fatal);
  EXPECT_EQ(submit_result_of(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE), refused);
  EXPECT_EQ(submit_result_of(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC), refused);
  EXPECT_EQ(submit_result_of(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED), refused);
}

TEST(KafkaErrorKinds, AnErrorIsDescribedByNameAndTextThatStay) {
  const char* const text = describe(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);

  EXPECT_EQ(std::string_view{text}, "MSG_SIZE_TOO_LARGE: Broker: Message size too large");
  EXPECT_EQ(text, describe(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE));
  EXPECT_NE(describe(RD_KAFKA_RESP_ERR_END_ALL), nullptr);
}

}  // namespace
}  // namespace spillway::kafka
